import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { discoverPrograms } from "@orchestrator/hub";
import type { Io } from "../io.ts";

/** A plugin of an existing core. */
export interface ToruPlugin {
  readonly id: string;
  /** Absolute. */
  readonly file: string;
  readonly enabled: boolean;
}

export interface ToruPlugins {
  readonly plugins: readonly ToruPlugin[];
  /** One line per file that cannot be used. */
  readonly leftOut: readonly string[];
}

/** The folder of plugins in the working directory of a core; undefined where there is none. */
export function pluginFolder(directory: string): string | undefined {
  const folder = join(directory, "plugins");
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? folder : undefined;
}

/** Asks each `*.binary` what it is, and looks up which of them the operator had switched off. */
export async function readToruPlugins(folder: string, io: Pick<Io, "env" | "signal">): Promise<ToruPlugins> {
  const env = Object.fromEntries(
    ["PATH", "HOME", "LANG", "TMPDIR"].flatMap((name) => {
      const value = io.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  const { found, problems } = await discoverPrograms(folder, { env, signal: io.signal });
  const isEnabled = enabledFlags(join(folder, ".metadata", "config.json"));
  const plugins = found.map(({ file, metadata: { id } }) => ({ id, file, enabled: isEnabled(id) }));
  return { plugins, leftOut: problems };
}

/** As existing cores read it: what is missing or cannot be read means enabled. */
function enabledFlags(file: string): (id: string) => boolean {
  let flags: Record<string, unknown> = {};
  try {
    const value = JSON.parse(readFileSync(file, "utf8")) as { plugins?: unknown } | null;
    if (typeof value?.plugins === "object" && value.plugins !== null) flags = value.plugins as Record<string, unknown>;
  } catch {
    // All of them are enabled.
  }
  return (id) => !(Object.hasOwn(flags, id) && flags[id] === false);
}
