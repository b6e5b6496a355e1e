import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  COMMAND_LINE,
  DEFAULT_CONFIG_FILE,
  formatDiagnostic,
  type HubConfig,
  loadConfig,
  type ParsedConfig,
  parseConfig,
  requireConfig,
} from "@orchestrator/config";
import { usage } from "../cli.ts";
import type { Io } from "../io.ts";

export interface ConfigFlags {
  /** Absolute. */
  readonly workspace: string;
  /** The user named the workspace. Where only a configuration was named, that one may say which workspace it is for. */
  readonly isExplicit?: boolean | undefined;
  readonly config?: string | undefined;
  readonly strict?: boolean | undefined;
  /** Flags of the configuration by name, without dashes in front. */
  readonly flags: Readonly<Record<string, string | undefined>>;
}

export interface LoadedConfig {
  readonly config: HubConfig;
  /** Findings that are no errors, ready to be shown. */
  readonly warnings: readonly string[];
}

/**
 * The configuration of a workspace's hub: the file that `--config` or `ORCHESTRATOR_CONFIG` names, else `plugins.yaml` in the
 * workspace, else the plugins that come with the program.
 * @throws {HubError} `INVALID_ARGUMENT` with every error of the file
 * @throws {CliError} usage, where nothing but flags is wrong
 */
export async function loadHubConfig(io: Pick<Io, "env" | "cwd">, options: ConfigFlags): Promise<LoadedConfig> {
  const { parsed } = await parseHubConfig(io, options);
  const errors = parsed.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0 && errors.every(({ file }) => file === COMMAND_LINE)) {
    throw usage(errors.map(({ message, hint }) => (hint === "" ? message : `${message} (${hint})`)).join("\n"));
  }
  return { config: requireConfig(parsed), warnings: parsed.diagnostics.map(formatDiagnostic) };
}

/** As `loadHubConfig`, with everything that was found, errors too. `source` says in words where it comes from. */
export async function parseHubConfig(
  io: Pick<Io, "env" | "cwd">,
  options: ConfigFlags,
): Promise<{ parsed: ParsedConfig; source: string }> {
  const { env, cwd } = io;
  const named = options.config ?? (env["ORCHESTRATOR_CONFIG"] || undefined);
  const workspace = named === undefined || options.isExplicit ? options.workspace : undefined;
  const flags = { ...options.flags, workspace };
  const common = { env, cwd, flags, strict: options.strict ?? false };
  if (named !== undefined)
    return { parsed: await loadConfig({ ...common, flags: { ...flags, config: named } }), source: named };
  const path = join(options.workspace, DEFAULT_CONFIG_FILE);
  if (existsSync(path)) return { parsed: parseConfig(await readFile(path, "utf8"), { ...common, path }), source: path };
  return {
    parsed: parseConfig(embeddedConfig(options.workspace), common),
    source: "plugins that come with the program",
  };
}

/** Storage in Markdown files and the feature workflow; with the program's own stdio transport, what a first day needs. */
function embeddedConfig(workspace: string): string {
  // JSON is YAML.
  return JSON.stringify({
    plugins: [
      {
        id: "storage.markdown",
        binary: pluginProgram("@orchestrator/storage-markdown"),
        args: [`--workspace=${workspace}`],
      },
      {
        id: "tools.features",
        binary: pluginProgram("@orchestrator/tools-features"),
        depends_on: ["storage.markdown"],
      },
    ],
  });
}

/** The file that runs a plugin package: main.ts beside its index.ts in a checkout, main.js when it is built. */
export function pluginProgram(packageName: string): string {
  const index = fileURLToPath(import.meta.resolve(packageName));
  return join(dirname(index), index.endsWith(".ts") ? "main.ts" : "main.js");
}
