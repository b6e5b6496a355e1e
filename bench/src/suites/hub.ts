import { goPeer } from "../paths/go.ts";
import { grpcPeer } from "../paths/grpc.ts";
import { httpPeer } from "../paths/http.ts";
import { natsPeer } from "../paths/nats.ts";
import { ourPaths } from "../paths/ours.ts";
import type { Path } from "../paths/path.ts";
import { type Pair, type Result, type Suite, type SuiteContext, summarize } from "../suite.ts";

/** Figures of one path in one round. */
interface Figures {
  readonly p50Us: number;
  readonly perSecond: number;
  readonly cpuUs: number;
}

/** caller → hub → plugin and back, three processes, beside the same path made of other things. */
export const hubSuite: Suite = {
  name: "hub",
  async run(context) {
    const { children, rounds, scale, short } = context;
    const { paths } = await ourPaths(children);
    const grpc = (await grpcPeer.start(children))!;
    const others = short ? [] : await startAll([httpPeer, natsPeer, goPeer], context);
    const started = [...paths, grpc, ...others];
    try {
      const ms = Math.max(100, 1_000 * scale);
      // Compilers on both sides have seen the code before anything counts.
      for (const path of started) await path.put("concurrent", Math.max(400, ms));
      const all = new Set(started);
      const figures = new Map<Path, Figures[]>(started.map((path) => [path, []]));
      for (let round = 0; round < rounds; round += 1) {
        context.progress(`hub: round ${round + 1} of ${rounds}`);
        for (const path of all) {
          try {
            figures.get(path)!.push(await smallCalls(path, ms));
          } catch (reason) {
            // The others go on without a peer that cannot keep up.
            if (!others.includes(path)) throw reason;
            console.error(`${path.name} is left out: ${reason}`);
            all.delete(path);
          }
        }
      }
      const whole = others.filter((path) => all.has(path));
      return [...comparisons(paths, grpc, whole, figures), ...(await bulkResults(paths, grpc, context))];
    } finally {
      await Promise.all(started.map((path) => path.close()));
    }
  },
};

async function startAll(peers: readonly (typeof grpcPeer)[], { children }: SuiteContext): Promise<Path[]> {
  const started: Path[] = [];
  for (const peer of peers) {
    const path = await peer.start(children);
    if (path !== undefined) started.push(path);
  }
  return started;
}

async function smallCalls(path: Path, ms: number): Promise<Figures> {
  const { p50Us } = await path.put("sequential", ms / 2);
  const before = await path.cpuUs();
  const { perSecond, calls } = await path.put("concurrent", ms);
  return { p50Us, perSecond, cpuUs: ((await path.cpuUs()) - before) / calls };
}

function comparisons(
  paths: readonly Path[],
  grpc: Path,
  others: readonly Path[],
  figures: ReadonlyMap<Path, readonly Figures[]>,
): Result[] {
  const pairs = (ours: Path, peer: Path, key: keyof Figures): Pair[] =>
    figures.get(ours)!.map((one, round) => ({ ours: one[key], peer: figures.get(peer)![round]![key] }));
  const three = (ours: Path, peer: Path, more: string) => [
    summarize(`call/${ours.name}/1${more}`, "us", peer.name, pairs(ours, peer, "p50Us")),
    summarize(`call/${ours.name}/64${more}`, "calls/s", peer.name, pairs(ours, peer, "perSecond")),
    summarize(`cpu/${ours.name}/64${more}`, "us CPU", peer.name, pairs(ours, peer, "cpuUs")),
  ];
  const fastest = paths[0]!;
  const sameWire = paths.at(-1)!;
  return [
    ...paths.flatMap((path) => three(path, grpc, "")),
    ...others.flatMap((peer) => three(peer.name.includes("QUIC") ? sameWire : fastest, peer, ` (${peer.name})`)),
  ];
}

/** Long messages, and what they do to short ones. */
async function bulkResults(paths: readonly Path[], grpc: Path, context: SuiteContext): Promise<Result[]> {
  const ms = Math.max(300, 1_500 * context.scale);
  const chosen = context.short ? [paths[0]!] : paths;
  const rates = new Map(chosen.map((path) => [path, [] as Pair[]]));
  const delays = new Map(chosen.map((path) => [path, [] as Pair[]]));
  for (let round = 0; round < context.rounds; round += 1) {
    context.progress(`hub, 16 MiB: round ${round + 1} of ${context.rounds}`);
    const peer = (await grpc.put("bulk", ms)).megabytesPerSecond;
    const peerDelay = (await grpc.put("beside-bulk", ms)).p99Us;
    for (const path of chosen) {
      rates.get(path)!.push({ ours: (await path.put("bulk", ms)).megabytesPerSecond, peer });
      delays.get(path)!.push({ ours: (await path.put("beside-bulk", ms)).p99Us, peer: peerDelay });
    }
  }
  return chosen.flatMap((path) => [
    summarize(`bulk/${path.name}/16MiB`, "MB/s", grpc.name, rates.get(path)!),
    summarize(`p99-beside-bulk/${path.name}`, "us", grpc.name, delays.get(path)!),
  ]);
}
