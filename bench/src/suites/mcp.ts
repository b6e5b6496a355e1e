import { join } from "node:path";
import type { Children } from "../children.ts";
import { concurrent, type StartCall, sequential } from "../measure.ts";
import { McpClient } from "../paths/mcp-client.ts";
import { type Pair, type Result, type Suite, type SuiteContext, summarize } from "../suite.ts";

const STDIO = join(import.meta.dirname, "..", "..", "..", "plugins", "transport-stdio", "src", "main.ts");

/** The program tells people about every connection. */
const QUIET = ["pipe", "pipe", "ignore"] as const;

/** Where the existing programs in Go are: `orchestrator`, `transport-stdio`, `tools-features` and `storage-markdown`. */
const GO_CHAIN = "ORCHESTRATOR_BENCH_GO_CHAIN";

/** Calls under way where calls per second are counted. */
const IN_FLIGHT = 16;

/** Reads one feature again and again, through one chain. */
async function readFeature(client: McpClient): Promise<StartCall> {
  const project_id = "bench";
  const created = await client.call("create_feature", { project_id, title: "Login page" });
  const feature_id = /FEAT-[A-Z0-9]+/.exec(created)?.[0];
  if (feature_id === undefined) throw new Error(`No feature in "${created}"`);
  return (done) => {
    client.call("get_feature", { project_id, feature_id }).then(done, (reason) => {
      throw reason;
    });
  };
}

/** What an editor waits for: stdio program → hub → tools.features → hub → storage.markdown → disk and back, one call at a time. */
export const mcpSuite: Suite = {
  name: "mcp",
  async run(context) {
    const { children, rounds, scale, progress } = context;
    const fast = await startHub(children, "fd");
    const slow = await startHub(children, "quic");
    const program = (hub: HubAddress) =>
      children.run(process.execPath, [STDIO, `--orchestrator-addr=${hub.address}`, `--certs-dir=${hub.certs}`], {
        silent: true,
        stdio: [...QUIET],
      });
    const socket = await children.start("stdio.ts", [fast.socketAddress, fast.certs], {
      silent: true,
      stdio: [...QUIET],
    });
    const clients = [await McpClient.connect(socket)];
    clients.push(await McpClient.connect(await program(fast)), await McpClient.connect(await program(slow)));
    for (const client of [clients[0]!, clients[2]!]) await client.call("create_project", { name: "Bench" });
    const [overSocket, overQuic, peer] = await Promise.all(clients.map(readFeature));
    const ms = Math.max(150, 1_500 * scale);
    for (const start of [overSocket!, overQuic!, peer!]) await sequential(start, Math.max(500, ms));
    const socketPairs: Pair[] = [];
    const quicPairs: Pair[] = [];
    for (let round = 0; round < rounds; round += 1) {
      progress(`mcp: round ${round + 1} of ${rounds}`);
      const a = await sequential(overSocket!, ms);
      const b = await sequential(peer!, ms);
      const c = await sequential(overQuic!, ms);
      socketPairs.push({ ours: a.p50Us, peer: b.p50Us });
      quicPairs.push({ ours: c.p50Us, peer: b.p50Us });
    }
    return [
      summarize("get_feature/stdio-unix-hub-fd", "us", "QUIC on every leg", socketPairs),
      summarize("get_feature/stdio-quic-hub-fd", "us", "QUIC on every leg", quicPairs),
      ...(await besideGo(context, overSocket!, ms)),
    ];
  },
};

/** The same through the existing programs, where somebody has them. */
async function besideGo({ children, rounds, short, progress }: SuiteContext, ours: StartCall, ms: number) {
  const programs = process.env[GO_CHAIN];
  if (short) return [];
  if (programs === undefined) {
    progress("");
    console.error(`The chain of Go programs is not measured: ${GO_CHAIN} names no directory with them`);
    return [];
  }
  const chain = await children.start("go-chain.ts", [programs, children.directory()]);
  const { address, certs } = JSON.parse(chain.line) as HubAddress;
  const stdio = await children.run(
    join(programs, "transport-stdio"),
    [`--orchestrator-addr=${address}`, `--certs-dir=${certs}`],
    { silent: true, stdio: [...QUIET] },
  );
  const client = await McpClient.connect(stdio);
  await client.call("create_project", { name: "Bench" });
  const peer = await readFeature(client);
  for (const start of [ours, peer]) await concurrent(start, Math.max(500, ms), IN_FLIGHT);
  const times: Pair[] = [];
  const rates: Pair[] = [];
  for (let round = 0; round < rounds; round += 1) {
    progress(`mcp: round ${round + 1} of ${rounds} beside Go`);
    times.push({ ours: (await sequential(ours, ms)).p50Us, peer: (await sequential(peer, ms)).p50Us });
    const rate = async (start: StartCall) => (await concurrent(start, ms, IN_FLIGHT)).perSecond;
    rates.push({ ours: await rate(ours), peer: await rate(peer) });
  }
  const results: Result[] = [
    summarize("get_feature/stdio-unix-hub-fd (Go chain)", "us", "Go chain", times),
    summarize(`get_feature/stdio-unix-hub-fd/${IN_FLIGHT} (Go chain)`, "calls/s", "Go chain", rates),
  ];
  return results;
}

interface HubAddress {
  readonly address: string;
  readonly socketAddress: string;
  readonly certs: string;
}

async function startHub(children: Children, carrier: "fd" | "quic"): Promise<HubAddress> {
  return JSON.parse((await children.start("mcp-hub.ts", [carrier])).line) as HubAddress;
}
