import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authority, openAuthority } from "@orchestrator/identity";

/** A certificates directory of a test's own, removed afterwards. */
export interface TestCerts extends AsyncDisposable {
  readonly authority: Authority;
  readonly directory: string;
}

export async function testCerts(): Promise<TestCerts> {
  const directory = await mkdtemp(join(tmpdir(), "runtime-"));
  const authority = await openAuthority(directory);
  return {
    authority,
    directory,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
