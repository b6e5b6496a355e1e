import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ResultFile } from "../result-file.ts";

/** The form that the gate compares: short, without what only some machines have. How programs start is not in it. */
const ARGUMENTS = ["--short", "--scale", "0.12"];
/** All suites but `start` and `store`, whose figures are those of the disk and of what else the machine does. */
const GUARDED = "^(?!(?:start|store)$)";

/**
 * Runs the benchmarks in a process of their own, as `pnpm bench` does.
 * @param filter a regular expression over suites, "" for all that are guarded
 */
export async function shortRun(filter: string, rounds: string): Promise<ResultFile> {
  const directory = mkdtempSync(join(tmpdir(), "orchestrator-gate-"));
  const json = join(directory, "results.json");
  const program = join(import.meta.dirname, "..", "run.ts");
  const child = spawn(
    process.execPath,
    [program, filter === "" ? GUARDED : filter, ...ARGUMENTS, "--rounds", rounds, "--json", json],
    {
      // The table goes where people look; standard output is the verdict's.
      stdio: ["ignore", 2, "inherit"],
    },
  );
  // Ctrl-C reaches the run as well; it ends its children first, and then this ends.
  const wait = () => {};
  const stop = () => void child.kill("SIGTERM");
  process.on("SIGINT", wait).on("SIGTERM", stop);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("exit", resolve).once("error", reject);
    });
    if (code === 2 || code === 130 || code === 143 || code === null) process.exit(code ?? 1);
    return JSON.parse(readFileSync(json, "utf8")) as ResultFile;
  } finally {
    process.off("SIGINT", wait).off("SIGTERM", stop);
    rmSync(directory, { recursive: true, force: true });
  }
}
