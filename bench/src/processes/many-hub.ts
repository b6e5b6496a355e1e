/** A hub with so many small plugins of the runtime. Argument: how many. Says how long they took to start, and who they are. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startTestHub } from "@orchestrator/hub/testing";
import { obeyLines } from "./lines.ts";

const PATIENCE_MS = 120_000;
const binary = join(import.meta.dirname, "small-plugin.ts");
const ids = Array.from({ length: Number(process.argv[2]) }, (_, index) => `bench.small-${index}`);
const began = performance.now();
const test = await startTestHub({
  // All at once on few cores: the last of them waits for the others.
  plugins: ids.map((id) => ({ id, binary, args: [`--bench-id=${id}`], start_timeout_ms: 300_000 })),
});
// One that was too slow for one of the hub's own time limits is started again by it.
const late = test.hub.plugins.filter(({ isReady }) => !isReady).length;
for (let left = PATIENCE_MS / 50; left > 0 && !test.hub.plugins.every(({ isReady }) => isReady); left -= 1)
  await sleep(50);
const startMs = performance.now() - began;
for (const { id, isReady } of test.hub.plugins) if (!isReady) throw new Error(`Plugin "${id}" did not start`);
const pids = test.hub.plugins.map(({ supervised }) => supervised.pid);
if (late > 0) process.stderr.write(`${late} of ${ids.length} plugins were ready at a later attempt only\n`);
obeyLines(JSON.stringify({ startMs, pids }), () => test.stop());
