import { join } from "node:path";
import type { Duplex } from "node:stream";
import { openAuthority } from "@orchestrator/identity";
import { memoryLinkPair } from "@orchestrator/transport";
import { dialQuic } from "@orchestrator/transport-quic";
import { CHILD_STDIO, type Children } from "../children.ts";
import { TOOL_CALL } from "../envelope.ts";
import { LinkCaller } from "../links/caller.ts";
import { echoLink } from "../links/echo.ts";
import { material } from "../links/plugin.ts";
import { dialSocket, SocketLink } from "../links/socket.ts";
import { concurrent, type StartCall, sequential } from "../measure.ts";
import { grpcCaller } from "../paths/grpc-caller.ts";
import { type Pair, type Suite, summarize } from "../suite.ts";

/** One link from here to an echo in a process of its own; in memory, in this one. */
async function links(children: Children): Promise<ReadonlyMap<string, LinkCaller>> {
  const directory = children.directory();
  const certs = join(directory, "certs");
  const authority = await openAuthority(certs, { algorithm: "ecdsa-p256" });
  await authority.leaf("bench.server");
  await authority.leaf("bench.client");
  const tls = material(certs, "bench.client");
  const [memory, fd, unix, quic] = [new LinkCaller(), new LinkCaller(), new LinkCaller(), new LinkCaller()];
  memoryLinkPair({ accept: [memory.accept, echoLink()] });
  const inheriting = await children.start("link-echo.ts", ["fd"], { stdio: [...CHILD_STDIO, "pipe"] });
  const socket = inheriting.process.stdio[3] as Duplex;
  new SocketLink(socket, { carrier: "fd", peer: "bench", remoteAddress: "fd:3", isConnector: false }, fd.accept);
  const unixServer = await children.start("link-echo.ts", ["unix", join(directory, "echo"), certs]);
  await dialSocket(unixServer.line, { tls }, unix.accept);
  const quicServer = await children.start("link-echo.ts", ["quic", certs]);
  await dialQuic(quicServer.line, { tls }, quic.accept);
  return new Map([
    ["memory", memory],
    ["fd", fd],
    ["unix-tls", unix],
    ["quic", quic],
  ]);
}

/** One link and nothing between, beside gRPC on a Unix socket. */
export const linkSuite: Suite = {
  name: "link",
  async run({ children, rounds, scale, progress }) {
    const callers = await links(children);
    const socket = `unix:${join(children.directory(), "grpc")}`;
    await children.start("grpc.ts", [socket]);
    const grpc = grpcCaller(socket);
    try {
      const starts = new Map([...callers].map(([name, caller]) => [name, caller.starter(TOOL_CALL)] as const));
      const ms = Math.max(60, 600 * scale);
      for (const start of [...starts.values(), grpc.small]) await concurrent(start, Math.max(300, ms), 64);
      const latency = new Map([...starts.keys()].map((name) => [name, [] as Pair[]]));
      const throughput = new Map([...starts.keys()].map((name) => [name, [] as Pair[]]));
      const figures = async (start: StartCall) => ({
        p50Us: (await sequential(start, ms)).p50Us,
        perSecond: (await concurrent(start, ms, 64)).perSecond,
      });
      for (let round = 0; round < rounds; round += 1) {
        progress(`link: round ${round + 1} of ${rounds}`);
        const peer = await figures(grpc.small);
        for (const [name, start] of starts) {
          const ours = await figures(start);
          latency.get(name)!.push({ ours: ours.p50Us, peer: peer.p50Us });
          throughput.get(name)!.push({ ours: ours.perSecond, peer: peer.perSecond });
        }
      }
      const peerName = "grpc-js, Unix socket";
      return [...starts.keys()].flatMap((name) => [
        summarize(`round-trip/${name}/1`, "us", peerName, latency.get(name)!),
        summarize(`round-trip/${name}/64`, "calls/s", peerName, throughput.get(name)!),
      ]);
    } finally {
      grpc.close();
      await Promise.all([...callers.values()].map((caller) => caller.link.close(0)));
    }
  },
};
