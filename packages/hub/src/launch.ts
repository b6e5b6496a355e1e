import { join } from "node:path";
import type { PluginConfig } from "@orchestrator/config";

/** What a child may know of the hub's environment: what programs need to run at all, and nothing that could be a secret. */
const HANDED_ON = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "LANGUAGE",
  "TZ",
  "TMPDIR",
  "TEMP",
  "TMP",
  "SHELL",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "SystemRoot",
  "ComSpec",
  "PATHEXT",
  "APPDATA",
  "LOCALAPPDATA",
  "USERPROFILE",
] as const;

/** A plugin's environment is built up from an allow list, never inherited whole; the config's own values win. */
export function pluginEnv(
  config: PluginConfig,
  directories: { readonly workspace: string; readonly stateDir: string },
  hubEnv: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const { workspace, stateDir } = directories;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(hubEnv)) {
    if (value === undefined) continue;
    const known = (HANDED_ON as readonly string[]).includes(name) || name.startsWith("LC_") || name.startsWith("XDG_");
    if (known || config.passEnv.includes(name)) env[name] = value;
  }
  // The second name is what plugins of the existing system look for.
  env["ORCHESTRATOR_WORKSPACE"] = workspace;
  env["ORCHESTRA_WORKSPACE"] = workspace;
  env["ORCHESTRATOR_PLUGIN_ID"] = config.id;
  // Node starts a TypeScript plugin three times as fast when it finds the code compiled. One directory per plugin: none may
  // write code that another one runs.
  if (isScript(config.program)) env["NODE_COMPILE_CACHE"] = join(stateDir, "compile-cache", config.id);
  return { ...env, ...config.env };
}

/** The flags that every host passes, after the operator's own. */
export function hostFlags(hubAddress: string, certsDir: string): string[] {
  return [`--orchestrator-addr=${hubAddress}`, "--listen-addr=localhost:0", `--certs-dir=${certsDir}`];
}

function isScript(program: string): boolean {
  return /\.(ts|mts|js|mjs)$/.test(program);
}

/** A TypeScript or JavaScript file without an interpreter of its own runs on the one that runs the hub. */
export function interpreted(program: string, args: readonly string[]): [string, ...string[]] {
  if (isScript(program)) {
    const isDeno = "deno" in process.versions;
    return [process.execPath, ...(isDeno ? ["run", "--allow-all"] : []), program, ...args];
  }
  return [program, ...args];
}
