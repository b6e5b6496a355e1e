import { builtinModules } from "node:module";
import { posix } from "node:path";
import { type ImportOf, importsOf } from "./import-list.ts";
import { forbidden, placeOf } from "./layers.ts";
import { type Check, type Repo, read, readJson } from "./repo.ts";

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Package {
  readonly folder: string;
  readonly manifest: Manifest;
}

const SOURCE = /\.(?:ts|mts|mjs|js)$/;
/** Tests, and what only tests and builds use. They may reach up, through devDependencies. */
const TEST = /(?:\.test\.ts$|\.node\.ts$|\/test\/|\/testing\/|\/fixtures\/|\/conformance\/|vitest\.config)/;
/** What all packages have in common for their tests, and the file of each one that may say so. */
const SHARED_TEST_CONFIG = "vitest.config.ts";
/** Pure packages hold no platform API; the compiler refuses the globals, this check the modules. */
const PURE = new Set(["packages/gen", "packages/protocol", "packages/transport", "packages/mcp"]);

/** Imports point one way, stay inside their package, and are declared in its package.json. */
export const checkImports: Check = (repo) => {
  const packages = readPackages(repo);
  const byName = new Map(packages.map((one) => [one.manifest.name, one]));
  const rootDev = Object.keys(readJson<Manifest>(repo, "package.json").devDependencies ?? {});
  const problems = packages.flatMap((one) => {
    const files = repo.files.filter((file) => file.startsWith(`${one.folder}/`) && SOURCE.test(file));
    return files.flatMap((file) => {
      const wrong = (found: ImportOf) => problemOf(file, found, one, byName, rootDev);
      return importsOf(read(repo, file)).flatMap((found) => wrong(found) ?? []);
    });
  });
  return [...problems, ...packages.flatMap((one) => declaredProblems(one, byName)), ...cycleProblems(packages, byName)];
};

function problemOf(
  file: string,
  { specifier, line }: ImportOf,
  from: Package,
  byName: ReadonlyMap<string, Package>,
  rootDev: readonly string[],
): string | undefined {
  const at = `${file}:${line}`;
  const outside = placeOf(from.folder)?.side === "outside";
  const test = outside || TEST.test(`/${file}`);
  if (specifier.startsWith(".")) {
    const target = posix.normalize(posix.join(posix.dirname(file), specifier));
    if (outside || target.startsWith(`${from.folder}/`)) return undefined;
    if (target === SHARED_TEST_CONFIG && file === `${from.folder}/${SHARED_TEST_CONFIG}`) return undefined;
    return `${at}: "${specifier}" leaves the package; import it by its name`;
  }
  if (specifier.startsWith("node:")) {
    return PURE.has(from.folder) && !test ? `${at}: "${specifier}" in a pure package` : undefined;
  }
  if (builtinModules.includes(specifier)) return `${at}: write "node:${specifier}"`;
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  const { manifest, folder } = from;
  if (name === manifest.name) return test ? undefined : `${at}: a package imports its own files by their path`;
  const runtime = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
  const declared =
    Object.hasOwn(runtime, name) ||
    (test && (Object.hasOwn(manifest.devDependencies ?? {}, name) || rootDev.includes(name)));
  if (!declared)
    return `${at}: "${name}" is not in the ${test ? "dependencies or devDependencies" : "dependencies"} of ${folder}/package.json`;
  const target = byName.get(name);
  const reason = target !== undefined && !test ? forbidden(folder, target.folder) : undefined;
  return reason === undefined ? undefined : `${at}: "${specifier}": ${reason}`;
}

/** package.json must not promise what no source may use. */
function declaredProblems({ folder, manifest }: Package, byName: ReadonlyMap<string, Package>): string[] {
  return Object.keys(manifest.dependencies ?? {}).flatMap((name) => {
    const target = byName.get(name);
    const reason = target === undefined ? undefined : forbidden(folder, target.folder);
    return reason === undefined ? [] : [`${folder}/package.json:1: dependency "${name}": ${reason}`];
  });
}

/** devDependencies count too: the task runner orders packages by them, and a circle has no order. */
function cycleProblems(packages: readonly Package[], byName: ReadonlyMap<string, Package>): string[] {
  const edges = (one: Package) =>
    Object.keys({ ...one.manifest.dependencies, ...one.manifest.devDependencies }).flatMap(
      (name) => byName.get(name) ?? [],
    );
  const done = new Set<Package>();
  const problems: string[] = [];
  const visit = (one: Package, path: readonly Package[]) => {
    const start = path.indexOf(one);
    if (start >= 0) {
      problems.push(
        `${one.folder}/package.json:1: circle: ${[...path.slice(start), one].map((step) => step.manifest.name).join(" → ")}`,
      );
    } else if (!done.has(one)) {
      for (const next of edges(one)) visit(next, [...path, one]);
      done.add(one);
    }
  };
  for (const one of packages) visit(one, []);
  return problems;
}

function readPackages(repo: Repo): Package[] {
  return repo.files
    .filter((file) => /^(?:(?:packages|plugins|apps)\/[^/]+|tools|bench)\/package\.json$/.test(file))
    .map((file) => ({ folder: posix.dirname(file), manifest: readJson<Manifest>(repo, file) }));
}
