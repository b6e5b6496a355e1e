import { Agent, request } from "node:http";
import { join } from "node:path";
import type { Children } from "../children.ts";
import { httpCall, TOOL_ARGUMENTS } from "../envelope.ts";
import { LinkCaller } from "../links/caller.ts";
import { material } from "../links/plugin.ts";
import { dialSocket } from "../links/socket.ts";
import type { StartCall } from "../measure.ts";
import { localPath, type Path } from "../paths/path.ts";
import { type Pair, type Suite, summarize } from "../suite.ts";

const ROUTE = "/bench-unix-json";
const bulk = () => {
  throw new Error("not measured");
};

/** An HTTP request to a plugin that speaks length-prefixed JSON, through the hub and through a relay that one would write first. */
export const unixJsonSuite: Suite = {
  name: "unix-json",
  async run({ children, rounds, scale, progress }) {
    const [ours, peer] = [await throughHub(children), await throughRelay(children)];
    const ms = Math.max(150, 1_000 * scale);
    const figures = { p50: [] as Pair[], perSecond: [] as Pair[], cpu: [] as Pair[] };
    try {
      for (const path of [ours, peer]) await path.put("concurrent", Math.max(400, ms));
      for (let round = 0; round < rounds; round += 1) {
        progress(`unix-json: round ${round + 1} of ${rounds}`);
        const [one, other] = [await measure(ours, ms), await measure(peer, ms)];
        for (const key of ["p50", "perSecond", "cpu"] as const) figures[key].push({ ours: one[key], peer: other[key] });
      }
    } finally {
      await Promise.all([ours.close(), peer.close()]);
    }
    return [
      summarize("request/unix-hub-json/1", "us", peer.name, figures.p50),
      summarize("request/unix-hub-json/64", "calls/s", peer.name, figures.perSecond),
      summarize("request-cpu/unix-hub-json/64", "us CPU", peer.name, figures.cpu),
    ];
  },
};

async function measure(path: Path, ms: number): Promise<{ p50: number; perSecond: number; cpu: number }> {
  const { p50Us } = await path.put("sequential", ms / 2);
  const before = await path.cpuUs();
  const { perSecond, calls } = await path.put("concurrent", ms);
  return { p50: p50Us, perSecond, cpu: ((await path.cpuUs()) - before) / calls };
}

async function throughHub(children: Children): Promise<Path> {
  const hub = await children.start("unix-json-hub.ts");
  const { socketAddress, certs } = JSON.parse(hub.line) as Record<string, string>;
  const caller = new LinkCaller();
  await dialSocket(socketAddress!, { tls: material(certs!, "orchestrator-gateway") }, caller.accept);
  const calls = { small: caller.starter(httpCall(ROUTE)), bulk, failure: () => caller.failure };
  return localPath("unix-hub-json", calls, hub, () => caller.link.close(0));
}

async function throughRelay(children: Children): Promise<Path> {
  const socketPath = join(children.directory(), "relay");
  const relay = await children.start("unix-json-relay.ts", [socketPath]);
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const body = JSON.stringify(TOOL_ARGUMENTS);
  const headers = { "content-type": "application/json" };
  let failure: Error | undefined;
  const small: StartCall = (done) => {
    const outgoing = request({ socketPath, path: "/items?x=1", method: "POST", agent, headers }, (response) => {
      if (response.statusCode !== 200) failure ??= new Error(`The relay answered ${response.statusCode}`);
      response.resume().once("end", done);
    });
    outgoing.end(body);
  };
  return localPath("node:http, a connection for each request", { small, bulk, failure: () => failure }, relay, () =>
    agent.destroy(),
  );
}
