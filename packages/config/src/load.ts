import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ConfigDiagnostic } from "./diagnostics.ts";
import { type ParsedConfig, type ParseOptions, parseConfig } from "./parse.ts";

/** The name that is looked for in the working directory. */
export const DEFAULT_CONFIG_FILE = "plugins.yaml";

/**
 * Reads the configuration from the first of: the flag `config`, `ORCHESTRATOR_CONFIG`, `plugins.yaml` in the working directory.
 * Without the last there are only defaults, and no plugins; the others must exist.
 */
export async function loadConfig(options: Omit<ParseOptions, "path"> = {}): Promise<ParsedConfig> {
  const cwd = options.cwd ?? process.cwd();
  const named = options.flags?.["config"] || options.env?.["ORCHESTRATOR_CONFIG"] || undefined;
  const path = named ?? DEFAULT_CONFIG_FILE;
  try {
    const text = await readFile(resolve(cwd, path), "utf8");
    return parseConfig(text, { ...options, path });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (named === undefined && code === "ENOENT") return parseConfig("", options);
    const reason = code === "ENOENT" ? "There is no such file" : message;
    const finding: ConfigDiagnostic = {
      severity: "error",
      message: `Cannot read the configuration: ${reason}`,
      file: path,
      line: 0,
      column: 0,
      hint: "",
    };
    return { config: undefined, diagnostics: [finding] };
  }
}
