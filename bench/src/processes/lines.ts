import { createInterface } from "node:readline";

/**
 * The side of a helper process: says that it is ready, answers `cpu` with the microseconds of CPU time that it has used, and
 * ends with its stdin. Ctrl-C is the parent's to deal with.
 */
export function obeyLines(ready: string, end: () => Promise<void> | void = () => {}): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  const answer = (line: string) => process.stdout.write(`${line}\n`);
  createInterface({ input: process.stdin })
    .on("line", (line) => {
      const { user, system } = process.cpuUsage();
      if (line === "cpu") answer(String(user + system));
      else if (line === "rss") answer(String(process.memoryUsage.rss()));
      else answer("?");
    })
    .once("close", async () => {
      await end();
      process.exit(0);
    });
  answer(ready);
}
