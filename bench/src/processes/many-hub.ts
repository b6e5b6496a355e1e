/** A hub with so many small plugins of the runtime. Argument: how many. Says how long they took to start, and who they are. */
import { join } from "node:path";
import { startTestHub } from "@orchestrator/hub/testing";
import { obeyLines } from "./lines.ts";

const binary = join(import.meta.dirname, "small-plugin.ts");
const ids = Array.from({ length: Number(process.argv[2]) }, (_, index) => `bench.small-${index}`);
const began = performance.now();
const test = await startTestHub({
  // All at once on few cores: the last of them waits for the others.
  plugins: ids.map((id) => ({ id, binary, args: [`--bench-id=${id}`], start_timeout_ms: 300_000 })),
});
const startMs = performance.now() - began;
const pids = test.hub.plugins.map(({ supervised }) => supervised.pid);
if (pids.includes(0)) throw new Error(`${pids.filter((pid) => pid === 0).length} plugins did not start`);
obeyLines(JSON.stringify({ startMs, pids }), () => test.stop());
