import { Diagnostics } from "./diagnostics.ts";
import { resolvePlugins } from "./resolve-plugins.ts";
import type { HubConfig, PluginConfig } from "./types.ts";

/** A plugin that was found in one of `plugin_dirs`: everything as if its entry held nothing but id, program and dialect. */
export function foundPlugin(
  id: string,
  binary: string,
  config: Pick<HubConfig, "directory" | "workspace" | "defaultTimeoutMs">,
): PluginConfig {
  const place = () => ({ file: binary, line: 0, column: 0 });
  const diagnostics = new Diagnostics();
  const [plugin] = resolvePlugins([{ id, binary, dialect: "unix-json" }], { ...config, home: "", place }, diagnostics);
  if (plugin === undefined) throw new TypeError(`"${id}" cannot be the id of a plugin`);
  return plugin;
}
