import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Version in package.json, which is one directory up from the sources and from the built files alike. */
export function programVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}

/** The file that starts the program: main.ts in a source checkout, main.js in a built one. Absolute. */
export function programPath(): string {
  return fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./main.ts" : "./main.js", import.meta.url));
}

/**
 * How to start this very program again, from any directory and any environment: the runtime that runs it now, and its file,
 * both absolute.
 */
export function programCommand(args: readonly string[] = []): readonly [string, ...string[]] {
  const deno = "deno" in process.versions ? ["run", "--allow-all"] : [];
  return [process.execPath, ...deno, programPath(), ...args];
}

/**
 * As `programCommand`, for a command line that is written down and shall outlive an update: package managers keep the runtime
 * under a path with its version, and a link without it beside.
 */
export function lastingCommand(args: readonly string[] = []): readonly [string, ...string[]] {
  const [runtime, ...rest] = programCommand(args);
  for (let directory = dirname(programPath()); directory !== dirname(directory); directory = dirname(directory)) {
    const link = join(directory, "node_modules", "node", "bin", "node");
    if (existsSync(link) && realpathSync(link) === realpathSync(runtime)) return [link, ...rest];
  }
  return [runtime, ...rest];
}
