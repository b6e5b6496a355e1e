import { PluginRequest, peekRequest, spliceRequest } from "@orchestrator/protocol";
import { TOOL_CALL } from "../envelope.ts";
import { type Pair, type Suite, summarize } from "../suite.ts";

/** Operations per second of a function, over at least `ms` milliseconds. */
function rate(ms: number, run: () => void): number {
  const began = performance.now();
  let count = 0;
  let elapsed = 0;
  do {
    for (let i = 0; i < 100; i += 1) run();
    count += 100;
    elapsed = performance.now() - began;
  } while (elapsed < ms);
  return count / (elapsed / 1_000);
}

const options = {
  caller: "transport.stdio",
  context: { timeoutMs: 30_000, traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
  allocate: Buffer.allocUnsafe,
};

/** What the hub does with a request, beside what a hub that decodes would do. */
export const protocolSuite: Suite = {
  name: "protocol",
  async run({ rounds, scale, progress }) {
    const ms = Math.max(20, 300 * scale);
    const peek = () => void peekRequest(TOOL_CALL);
    const splice = () => void spliceRequest(TOOL_CALL, peekRequest(TOOL_CALL), options);
    const decodeEncode = () => void PluginRequest.encode(PluginRequest.decode(TOOL_CALL)).finish();
    const peeks: Pair[] = [];
    const splices: Pair[] = [];
    for (const run of [peek, splice, decodeEncode]) rate(ms, run);
    for (let round = 0; round < rounds; round += 1) {
      progress(`protocol round ${round + 1} of ${rounds}`);
      const peer = rate(ms, decodeEncode);
      peeks.push({ ours: rate(ms, peek), peer });
      splices.push({ ours: rate(ms, splice), peer });
    }
    return [
      summarize("peek/616B", "ops/s", "ts-proto decode+encode", peeks),
      summarize("peek+splice/616B", "ops/s", "ts-proto decode+encode", splices),
    ];
  },
};
