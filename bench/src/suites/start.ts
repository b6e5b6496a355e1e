import { setTimeout as sleep } from "node:timers/promises";
import type { Children } from "../children.ts";
import { FEATURES_PLUGIN, SMALL_PLUGIN, startPlugin } from "../paths/plugin-start.ts";
import { cpuMsOf, memoryOf } from "../paths/process-figures.ts";
import { median, type Pair, type Result, type Suite, type SuiteContext, summarize } from "../suite.ts";

const EMPTY = "an empty Node program";
/** How long a hub with a hundred plugins is watched while nobody wants anything. */
const IDLE_MS = 5_000;
const TICK_MS = 10;

/** How long it takes until things are there, and what they weigh. */
export const startSuite: Suite = {
  name: "start",
  async run(context) {
    const results = [...(await hubs(context)), ...(await plugins(context))];
    if (context.full) results.push(...(await hundred(context)));
    return results;
  },
};

/** From nothing: a certificate authority is made, and the manifests of both plugins are asked for. */
async function hubs({ children, rounds, progress }: SuiteContext): Promise<Result[]> {
  const pairs: Pair[] = [];
  // The first start fills the compile caches, which is once in a lifetime.
  await timed(children, "mcp-hub.ts", ["fd"]);
  for (let round = 0; round < rounds; round += 1) {
    progress(`start of a hub: round ${round + 1} of ${rounds}`);
    pairs.push({
      ours: await timed(children, "mcp-hub.ts", ["fd"]),
      peer: await timed(children, "empty.ts", []),
    });
  }
  return [summarize("start/hub-with-features-and-storage", "ms", EMPTY, pairs)];
}

async function timed(children: Children, program: string, args: readonly string[]): Promise<number> {
  const began = performance.now();
  await using _child = await children.start(program, args);
  return performance.now() - began;
}

async function plugins({ children, rounds, progress }: SuiteContext): Promise<Result[]> {
  const cached = { NODE_COMPILE_CACHE: children.directory() };
  const results: Result[] = [];
  for (const [name, program] of [
    ["small", SMALL_PLUGIN],
    ["tools.features", FEATURES_PLUGIN],
  ] as const) {
    const starts: Pair[] = [];
    const rss: Pair[] = [];
    const pss: Pair[] = [];
    await startPlugin(program, cached);
    for (let round = 0; round < rounds; round += 1) {
      progress(`start of plugin ${name}: round ${round + 1} of ${rounds}`);
      const ours = await startPlugin(program, cached);
      starts.push({ ours: ours.ms, peer: (await startPlugin(program, {})).ms });
      await using empty = await children.start("empty.ts");
      const peer = memoryOf(empty.pid);
      rss.push({ ours: ours.rss, peer: peer.rss });
      pss.push({ ours: ours.pss, peer: peer.pss });
    }
    results.push(
      summarize(`start/plugin-${name}`, "ms", "the same without a compile cache", starts),
      summarize(`memory-rss/plugin-${name}`, "MiB", EMPTY, rss),
      summarize(`memory-pss/plugin-${name}`, "MiB", EMPTY, pss),
    );
  }
  return results;
}

/** A hundred live plugins on one hub, beside as many empty programs. Once: it takes a while. */
async function hundred({ children, progress }: SuiteContext): Promise<Result[]> {
  const count = 100;
  progress(`start of ${count} plugins`);
  const ours = await (async () => {
    await using hub = await children.start("many-hub.ts", [String(count)]);
    const { startMs, pids } = JSON.parse(hub.line) as { startMs: number; pids: number[] };
    return { startMs, ...(await weigh(pids)), hubRss: memoryOf(hub.pid).rss, ...(await idle([hub.pid, ...pids])) };
  })();
  progress(`start of ${count} empty programs`);
  const began = performance.now();
  const empty = await Promise.all(Array.from({ length: count }, () => children.start("empty.ts")));
  const startMs = performance.now() - began;
  const pids = empty.map(({ pid }) => pid);
  const peer = { startMs, ...(await weigh(pids)), ...(await idle(pids)) };
  await Promise.all(empty.map((one) => one[Symbol.asyncDispose]()));
  const peerName = `${count} empty Node programs`;
  const one = (name: string, unit: string, a: number, b: number) =>
    summarize(`${name}/${count}-plugins`, unit, peerName, [{ ours: a, peer: b }]);
  return [
    one("start", "ms", ours.startMs, peer.startMs),
    one("memory-rss-each", "MiB", ours.rss, peer.rss),
    one("memory-pss-each", "MiB", ours.pss, peer.pss),
    one("idle-cpu-all", "% CPU", ours.percent, peer.percent),
    one("memory-rss-hub", "MiB", ours.hubRss, peer.rss),
  ];
}

async function weigh(pids: readonly number[]) {
  const all = pids.map(memoryOf);
  return { rss: median(all.map(({ rss }) => rss)), pss: median(all.map(({ pss }) => pss)) };
}

/** Share of one core that these processes use together while nothing happens; the kernel counts in ticks, so one is the least. */
async function idle(pids: readonly number[]): Promise<{ percent: number }> {
  const total = () => pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0);
  await sleep(2_000);
  const [began, before] = [performance.now(), total()];
  await sleep(IDLE_MS);
  return { percent: (Math.max(TICK_MS, total() - before) / (performance.now() - began)) * 100 };
}
