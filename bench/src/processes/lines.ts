import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { createInterface } from "node:readline";

/**
 * The side of a helper process: says that it is ready, answers `cpu` with the microseconds of CPU time that it has used, and
 * ends with its stdin; `profile` starts a CPU profile and `profiled FILE` writes it. Ctrl-C is the parent's to deal with.
 */
export function obeyLines(ready: string, end: () => Promise<void> | void = () => {}): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  const answer = (line: string) => process.stdout.write(`${line}\n`);
  const session = new Session();
  createInterface({ input: process.stdin })
    .on("line", async (line) => {
      const [word, file] = line.split(" ");
      const { user, system } = process.cpuUsage();
      if (line === "cpu") answer(String(user + system));
      else if (line === "rss") answer(String(process.memoryUsage.rss()));
      else if (word === "profile") {
        session.connect();
        await session.post("Profiler.enable");
        await session.post("Profiler.start");
        answer("profiling");
      } else if (word === "profiled") {
        const { profile } = await session.post("Profiler.stop");
        writeFileSync(file!, JSON.stringify(profile));
        answer("written");
      } else answer("?");
    })
    .once("close", async () => {
      await end();
      process.exit(0);
    });
  answer(ready);
}
