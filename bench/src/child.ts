import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A helper process of a benchmark: says one line when it is ready, ends with its stdin. */
export interface Child extends AsyncDisposable {
  readonly line: string;
  readonly pid: number;
}

/** @param program a file of `processes/` */
export async function startChild(program: string, args: readonly string[] = []): Promise<Child> {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, "processes", program), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const lines = createInterface({ input: child.stdout! });
  const line = await Promise.race([
    new Promise<string>((resolve) => lines.once("line", resolve)),
    exited.then(() => Promise.reject(new Error(`${program} ended before it was ready`))),
  ]);
  return {
    line,
    pid: child.pid!,
    [Symbol.asyncDispose]: async () => {
      child.stdin!.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await exited;
      clearTimeout(timer);
    },
  };
}
