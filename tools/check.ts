/**
 * Checks of the repository as a whole that no linter knows. Each problem is one line, `file:line: what is wrong`; the exit code
 * is 1 where there is any. `node tools/check.ts links words` runs only these.
 */
import { join } from "node:path";
import { checkGeneratedCode, checkGeneratedConfig } from "./checks/generated.ts";
import { checkImports } from "./checks/imports.ts";
import { checkLength } from "./checks/length.ts";
import { checkLinks } from "./checks/links.ts";
import { checkPackages } from "./checks/packages.ts";
import { type Check, openRepo } from "./checks/repo.ts";
import { checkWords } from "./checks/words.ts";

const checks: Readonly<Record<string, Check>> = {
  imports: checkImports,
  packages: checkPackages,
  length: checkLength,
  words: checkWords,
  links: checkLinks,
  config: checkGeneratedConfig,
  code: checkGeneratedCode,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(checks, name));
if (unknown.length > 0) {
  console.error(`No check is called ${unknown.join(", ")}. There are: ${Object.keys(checks).join(", ")}`);
  process.exit(2);
}
const repo = openRepo(join(import.meta.dirname, ".."));
for (const [name, check] of Object.entries(checks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const problems = await check(repo);
  console.log(`${problems.length === 0 ? "ok    " : "FAILED"} ${name}`);
  for (const problem of problems) console.log(`       ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}
