import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Check, Repo } from "./repo.ts";

/** Runs a check over a repository of these files. */
export async function problemsIn(check: Check, files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const root = mkdtempSync(join(tmpdir(), "orchestrator-check-"));
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    const repo: Repo = { root, files: Object.keys(files) };
    return await check(repo);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
