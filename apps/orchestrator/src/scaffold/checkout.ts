import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { programPath, programVersion } from "../program-path.ts";
import type { Blueprint } from "./files.ts";

/** Where a new plugin gets its packages from. */
export interface Source {
  readonly dependencies: Omit<Blueprint, "id">;
  /** Packages to be linked into its node_modules right away: name → directory. Empty where they are to be installed. */
  readonly links: Readonly<Record<string, string>>;
}

/**
 * How a plugin in `directory` depends on the runtime: by workspace within this checkout, by path elsewhere on its machine
 * (it is not published from there), and by version where this program was installed.
 */
export function dependencySource(directory: string): Source {
  const root = checkoutRoot();
  if (root === undefined) {
    const range = `^${programVersion()}`;
    return { dependencies: { runtime: range, typescript: "^7.0.0", nodeTypes: "^26.0.0" }, links: {} };
  }
  const runtime = realpathSync(dirname(dirname(fileURLToPath(import.meta.resolve("@orchestrator/runtime")))));
  const tools = {
    typescript: packageDirectory(root, "typescript"),
    "@types/node": packageDirectory(root, "@types/node"),
  };
  const inside = relative(root, directory);
  const inWorkspace = /^(?:plugins|packages|apps)[\\/][^\\/]+$/.test(inside);
  return {
    dependencies: {
      runtime: inWorkspace ? "workspace:*" : `link:${runtime}`,
      typescript: versionOf(tools.typescript),
      nodeTypes: versionOf(tools["@types/node"]),
    },
    links: { "@orchestrator/runtime": runtime, ...tools },
  };
}

/** Makes the packages usable at once, the way that a package manager would link them. */
export function linkPackages(directory: string, links: Source["links"]): void {
  for (const [name, target] of Object.entries(links)) {
    const path = join(directory, "node_modules", name);
    mkdirSync(dirname(path), { recursive: true });
    // A junction needs no privilege on Windows.
    symlinkSync(target, path, "junction");
  }
}

/** The directory of the checkout that this program runs from; undefined where it was installed from built files. */
function checkoutRoot(): string | undefined {
  if (!programPath().endsWith(".ts")) return undefined;
  for (let directory = dirname(programPath()); directory !== dirname(directory); directory = dirname(directory)) {
    if (existsSync(join(directory, "pnpm-workspace.yaml"))) return directory;
  }
  return undefined;
}

function packageDirectory(root: string, name: string): string {
  return realpathSync(dirname(createRequire(join(root, "package.json")).resolve(`${name}/package.json`)));
}

function versionOf(directory: string): string {
  const { version } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as { version: string };
  return `^${version}`;
}
