import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";

/** One package of the workspace that has tests. */
export interface TestedPackage {
  /** `@orchestrator/hub` */
  readonly name: string;
  /** `hub` */
  readonly short: string;
  /** Relative to the root, with forward slashes: `packages/hub`. */
  readonly directory: string;
}

/** Folders of every package of the workspace, sorted, relative to the root. */
export function workspaceFolders(root: string): string[] {
  const { packages } = parse(readFileSync(join(root, "pnpm-workspace.yaml"), "utf8")) as { packages: string[] };
  const manifests = packages.flatMap((pattern) => globSync(`${pattern}/package.json`, { cwd: root }));
  return manifests.map((file) => dirname(file).replaceAll("\\", "/")).sort();
}

/** Every package whose package.json has a `test` script. */
export function testedPackages(root: string): TestedPackage[] {
  return workspaceFolders(root).flatMap((directory) => {
    const manifest = JSON.parse(readFileSync(join(root, directory, "package.json"), "utf8")) as {
      name: string;
      scripts?: Record<string, string>;
    };
    if (manifest.scripts?.["test"] === undefined) return [];
    return [{ name: manifest.name, short: manifest.name.replace(/^@[^/]+\//, ""), directory }];
  });
}

/** Packages by full name, short name or folder; all of them where nothing is named. */
export function selectPackages(all: readonly TestedPackage[], names: readonly string[]) {
  const wanted = names.map((name) => name.replace(/\/+$/, ""));
  const fits = (one: TestedPackage, name: string) => [one.name, one.short, one.directory].includes(name);
  return {
    selected: wanted.length === 0 ? [...all] : all.filter((one) => wanted.some((name) => fits(one, name))),
    unknown: wanted.filter((name) => !all.some((one) => fits(one, name))),
  };
}

/** Every module that a package exports, relative to the root: its types are what others see. */
export function readEntries(root: string): string[] {
  return workspaceFolders(root).flatMap((directory) => {
    const { exports } = JSON.parse(readFileSync(join(root, directory, "package.json"), "utf8")) as {
      exports?: Record<string, string>;
    };
    return Object.values(exports ?? {})
      .filter((file) => file.endsWith(".ts"))
      .map((file) => join(directory, file))
      .filter((file) => existsSync(join(root, file)));
  });
}
