import { foundPlugin, type HubConfig, type PluginConfig } from "@orchestrator/config";
import { pluginEnv } from "../launch.ts";
import { discover } from "./discovery.ts";
import type { MetadataProbe } from "./metadata-probe.ts";

export interface FindOptions {
  readonly workspace: string;
  readonly stateDir: string;
  /** The hub's own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly probe: MetadataProbe;
  readonly signal: AbortSignal;
}

/** Plugins that no entry of the config names: programs in directories, which say themselves what they are. */
export async function findPlugins(
  config: Pick<HubConfig, "pluginDirs" | "plugins" | "directory" | "workspace" | "defaultTimeoutMs">,
  { workspace, stateDir, env, probe, signal }: FindOptions,
): Promise<{ readonly found: readonly PluginConfig[]; readonly problems: readonly string[] }> {
  if (config.pluginDirs.length === 0) return { found: [], problems: [] };
  const nobody = foundPlugin("unnamed", workspace, config);
  const { found, problems } = await discover({
    directories: config.pluginDirs,
    probe,
    cwd: workspace,
    env: pluginEnv(nobody, { workspace, stateDir }, env),
    taken: new Map(config.plugins.map(({ id }) => [id, "an entry of the configuration"])),
    configured: config.plugins.map(({ program }) => program),
    signal,
  });
  return { found: found.map(({ file, metadata }) => foundPlugin(metadata.id, file, config)), problems };
}
