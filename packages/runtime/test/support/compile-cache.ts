import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where the directory is told to the tests. Not Node's own variable: the test runner itself would write there while it ends. */
export const COMPILE_CACHE = "RUNTIME_TEST_COMPILE_CACHE";

/** Lets the programs that tests start share what Node makes of their sources: half of a start is that. */
export default async function setUp(): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), "runtime-compiled-"));
  process.env[COMPILE_CACHE] = directory;
  return () => rm(directory, { recursive: true, force: true });
}
