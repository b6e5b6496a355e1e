/**
 * `node bench/src/profile.ts [PATH] [MS]`: where the hub's CPU time goes on a path (`fd-hub-fd`), at 64 calls under way, as
 * microseconds per call and share, by the function itself.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Children } from "./children.ts";
import { ourPaths } from "./paths/ours.ts";
import type { Path } from "./paths/path.ts";

interface Profile {
  readonly nodes: readonly { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const [name = "fd-hub-fd", ms = "4000"] = process.argv.slice(2);
const children = new Children();
process.once("SIGINT", async () => {
  await children.stopAll();
  process.exit(130);
});
try {
  const { hub, paths } = await ourPaths(children);
  const path = paths.find((one) => one.name === name);
  if (path === undefined) throw new Error(`There is no path "${name}": ${paths.map((one) => one.name).join(", ")}`);
  await path.put("concurrent", 1_000);
  const plain = await measure(path, Number(ms));
  console.log(`${name}: ${Math.round(plain.perSecond)} calls/s, hub ${plain.cpuUs.toFixed(2)} us CPU per call`);
  await hub.ask("profile");
  const { cpuUs } = await measure(path, Number(ms));
  const file = join(children.directory(), "hub.cpuprofile");
  await hub.ask(`profiled ${file}`);
  console.log(`With the profiler on: ${cpuUs.toFixed(2)} us, by function:`);
  print(JSON.parse(readFileSync(file, "utf8")) as Profile, cpuUs);
  await Promise.all(paths.map((one) => one.close()));
} finally {
  await children.stopAll();
}

async function measure(path: Path, loadMs: number): Promise<{ perSecond: number; cpuUs: number }> {
  const before = await path.cpuUs();
  const { calls, perSecond } = await path.put("concurrent", loadMs);
  return { perSecond, cpuUs: ((await path.cpuUs()) - before) / calls };
}

function print({ nodes, samples, timeDeltas }: Profile, cpuPerCall: number): void {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, describe(callFrame)]));
  const self = new Map<string, number>();
  samples.forEach((id, index) => {
    const where = names.get(id)!;
    self.set(where, (self.get(where) ?? 0) + timeDeltas[index]!);
  });
  for (const idle of ["(idle)", "(root)"]) self.delete(idle);
  const total = [...self.values()].reduce((sum, one) => sum + one, 0);
  const top = [...self].sort((a, b) => b[1] - a[1]).slice(0, 30);
  for (const [where, us] of top) {
    const share = us / total;
    console.log(
      `${(share * 100).toFixed(1).padStart(5)} %  ${(share * cpuPerCall).toFixed(2).padStart(6)} us  ${where}`,
    );
  }
}

function describe({ functionName, url, lineNumber }: Profile["nodes"][number]["callFrame"]): string {
  if (url === "") return functionName;
  return `${functionName || "(anonymous)"} ${url.replace(/^file:.*?\/(packages|plugins|bench)\//, "$1/")}:${lineNumber + 1}`;
}
