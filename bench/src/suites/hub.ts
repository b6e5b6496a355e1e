import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { loadMaterial } from "@orchestrator/identity";
import type { CallId, Link, LinkHandler } from "@orchestrator/transport";
import { dialQuic } from "@orchestrator/transport-quic";
import { startChild } from "../child.ts";
import { TOOL_CALL } from "../envelope.ts";
import { concurrent, type StartCall, sequential } from "../measure.ts";
import { type Pair, type Suite, summarize } from "../suite.ts";

/** Calls over one QUIC link, without a promise per call. */
async function quicCaller(address: string, certs: string): Promise<{ link: Link; start: StartCall }> {
  const pending = new Map<CallId, () => void>();
  const handler: LinkHandler = {
    request: () => {},
    message: (call) => {
      const done = pending.get(call);
      pending.delete(call);
      done?.();
    },
    cancelled: (_call, error) => {
      throw error;
    },
    drained: () => {},
    closed: () => {},
  };
  const link = await dialQuic(address, { tls: await loadMaterial(certs, "transport.bench-client") }, () => handler);
  return { link, start: (done) => void pending.set(link.open(TOOL_CALL, true), done) };
}

function grpcCaller(target: string): { client: Client; start: StartCall } {
  const client = new Client(target, credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  const request = Buffer.from(TOOL_CALL);
  return {
    client,
    start: (done) => {
      client.makeUnaryRequest("/bench.Echo/Call", same, same, request, (error) => {
        if (error !== null) throw error;
        done();
      });
    },
  };
}

/** caller → hub → plugin and back, three processes, beside the same path made of gRPC. */
export const hubSuite: Suite = {
  name: "hub",
  async run({ rounds, scale, progress }) {
    const directory = mkdtempSync(join(tmpdir(), "orchestrator-bench-"));
    const socket = (name: string) => `unix:${join(directory, name)}`;
    await using hub = await startChild("hub.ts");
    await using _backend = await startChild("grpc.ts", [socket("backend")]);
    await using _relay = await startChild("grpc.ts", [socket("relay"), socket("backend")]);
    const { address, certs } = JSON.parse(hub.line) as { address: string; certs: string };
    const ours = await quicCaller(address, certs);
    const peer = grpcCaller(socket("relay"));
    const calls = Math.ceil(20_000 * scale);
    const latency: Pair[] = [];
    const throughput: Pair[] = [];
    try {
      for (const { start } of [ours, peer]) await concurrent(start, Math.ceil(calls / 4), 64);
      for (let round = 0; round < rounds; round += 1) {
        progress(`hub round ${round + 1} of ${rounds}`);
        const a = await sequential(ours.start, Math.ceil(calls / 10));
        const b = await sequential(peer.start, Math.ceil(calls / 10));
        latency.push({ ours: a.p50Us, peer: b.p50Us });
        throughput.push({
          ours: await concurrent(ours.start, calls, 64),
          peer: await concurrent(peer.start, calls, 64),
        });
      }
    } finally {
      await ours.link.close(0);
      peer.client.close();
      rmSync(directory, { recursive: true, force: true });
    }
    return [
      summarize("call/quic-hub-quic/1", "us", "grpc-js relay", latency),
      summarize("call/quic-hub-quic/64", "calls/s", "grpc-js relay", throughput),
    ];
  },
};
