import { posix } from "node:path";
import { type Check, readJson } from "./repo.ts";

interface Manifest {
  readonly name?: string;
  readonly license?: string;
  readonly type?: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly files?: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, unknown>> };
}

/** Every package can be read about, checked, tested and published the same way. */
export const checkPackages: Check = (repo) =>
  repo.files
    .filter((file) => /^(?:packages|plugins|apps)\/[^/]+\/package\.json$/.test(file))
    .flatMap((file) => {
      const folder = posix.dirname(file);
      const manifest = readJson<Manifest>(repo, file);
      const problems: string[] = [];
      if (!repo.files.includes(`${folder}/README.md`)) problems.push("has no README.md");
      if (manifest.license !== "Apache-2.0") problems.push("license is not Apache-2.0");
      if (manifest.type !== "module") problems.push('type is not "module"');
      if (!manifest.description) problems.push("has no description");
      for (const script of ["build", "typecheck", "test"]) {
        if (manifest.scripts?.[script] === undefined) problems.push(`has no script "${script}"`);
      }
      const here = Object.keys(manifest.exports ?? {}).join(" ");
      const published = Object.keys(manifest.publishConfig?.exports ?? {}).join(" ");
      if (here !== published) problems.push(`exports "${here}", but publishes "${published}"`);
      return problems.map((problem) => `${file}:1: ${problem}`);
    });
