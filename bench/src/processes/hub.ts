/** A hub in a process of its own, with the echo plugin; prints where it is as one line of JSON and stops with its stdin. */
import { join } from "node:path";
import { startTestHub } from "@orchestrator/hub/testing";

const test = await startTestHub({
  plugins: [{ id: "bench.echo", binary: join(import.meta.dirname, "echo-plugin.ts"), max_calls_in_flight: 100_000 }],
});
await test.authority.leaf("transport.bench-client");
process.stdout.write(`${JSON.stringify({ address: test.hub.address, certs: test.authority.directory })}\n`);
process.stdin.resume().once("end", async () => {
  await test.stop();
  process.exit(0);
});
process.on("message", () => {});
