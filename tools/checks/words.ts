import { type Check, lineAt, read } from "./repo.ts";

/**
 * What must not stand in any tracked file. The patterns are written so that none matches its own source.
 */
const FORBIDDEN: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  {
    what: "the host of a package registry (each machine has its own settings)",
    pattern:
      /\b(?:registry\.(?:npm[j]s|yarnpkg)|(?:proxy|sum)\.gola[n]g|(?:index|static)\.crate[s]|files\.pythonhoste[d]|repo1?\.maven|deb\.debia[n])\.(?:org|com|io|apache)\b/g,
  },
  {
    what: "the address of a package mirror",
    pattern: /https?:\/\/(?:registr[y]|prox[y]|inde[x]|mirror[s]?|artifactor[y]|nexu[s]|deb)\.[\w.-]+/g,
  },
  {
    what: "a path of one machine",
    pattern:
      /(?<![\w.~/-])(?:\/(?:wor[k]|far[m]|roo[t])\/[\w.-]|\/User[s]\/\w|[A-Z]:\\User[s]\\|\/hom[e]\/(?!ada\b|user\b|me\b)\w)/g,
  },
  {
    what: "a working paper of the people who wrote this (say the thing itself)",
    pattern:
      /\b(?:shared\/(?:spec[s]|desig[n]|architectur[e]|styl[e])|transport-note[s]|(?:design|the) spe[c] section|issue #?\d+ section)\b/gi,
  },
];

/** Written by programs: a lock file holds what its program puts there, checked below by itself. */
const SKIPPED = /(?:^|\/)(?:pnpm-lock\.yaml|go\.sum|LICENSE)$|\.(?:png|jpg|ico|wasm|bin|p12|hex)$/;

/** No registry hosts, no machine paths, no references to papers that readers do not have. */
export const checkWords: Check = (repo) => {
  const problems = repo.files
    .filter((file) => !SKIPPED.test(file))
    .flatMap((file) => {
      const text = read(repo, file);
      if (text.includes("\0")) return [];
      return FORBIDDEN.flatMap(({ what, pattern }) =>
        [...text.matchAll(pattern)].map((match) => `${file}:${lineAt(text, match.index)}: "${match[0]}" is ${what}`),
      );
    });
  const lock = repo.files.find((file) => file === "pnpm-lock.yaml");
  if (lock !== undefined && /\btarball: https?:/.test(read(repo, lock)))
    problems.push(`${lock}:1: records addresses of downloads`);
  return problems;
};
