import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** What a check looks at: the files that git tracks or would track, relative to the root, with forward slashes. */
export interface Repo {
  readonly root: string;
  readonly files: readonly string[];
}

/** One check. @returns problems, each as `file:line: what is wrong`; none means that all is well */
export type Check = (repo: Repo) => readonly string[] | Promise<readonly string[]>;

export function openRepo(root: string): Repo {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "-z", "--deduplicate"];
  const listed = execFileSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  return { root, files: listed.split("\0").filter((file) => file !== "" && isFile(root, file)) };
}

export function read(repo: Repo, file: string): string {
  return readFileSync(join(repo.root, file), "utf8");
}

export function readJson<T>(repo: Repo, file: string): T {
  return JSON.parse(read(repo, file)) as T;
}

/** Line number, from 1, of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}

/** A file that is deleted in the work tree is still listed. */
function isFile(root: string, file: string): boolean {
  return statSync(join(root, file), { throwIfNoEntry: false })?.isFile() ?? false;
}
