/** Echo over loopback between two processes: sequential latency and throughput with 64 calls in flight. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process, { argv, execPath } from "node:process";
import { dialQuic } from "../src/endpoint/dial.ts";
import { testMaterial } from "./material.ts";

const material = await testMaterial();
const directory = mkdtempSync(join(tmpdir(), "quic-bench-"));
const maxDatagramBytes = Number(argv[2] ?? 1350);
writeFileSync(join(directory, "options.json"), JSON.stringify({ tls: material.server, maxDatagramBytes }));
const server = spawn(
  execPath,
  [new URL("fixtures/echo-server.ts", import.meta.url).pathname, join(directory, "options.json")],
  {
    stdio: ["pipe", "pipe", "inherit"],
  },
);
const address = await new Promise<string>((resolve) =>
  server.stdout.once("data", (line) => resolve(String(line).trim())),
);
const waiting = new Map<number, () => void>();
const link = await dialQuic(address, { tls: material.client, maxDatagramBytes }, () => ({
  request: () => {},
  message: (call, _payload, last) => {
    if (!last) return;
    const done = waiting.get(call)!;
    waiting.delete(call);
    done();
  },
  cancelled: () => {},
  drained: () => {},
  closed: () => {},
}));
const payload = new Uint8Array(100);

function run(count: number, inFlight: number, body: Uint8Array): Promise<number[]> {
  return new Promise((resolve) => {
    const times: number[] = [];
    let started = 0;
    const next = () => {
      if (times.length === count) resolve(times);
      if (started >= count) return;
      started++;
      const start = performance.now();
      waiting.set(link.open(body, true), () => {
        times.push(performance.now() - start);
        next();
      });
    };
    for (let index = 0; index < inFlight; index++) next();
  });
}
const at = (times: number[], p: number) => times.toSorted((a, b) => a - b)[Math.floor(times.length * p)]! * 1000;
await run(20_000, 64, payload);
for (let round = 0; round < 3; round++) {
  const times = await run(10_000, 1, payload);
  const start = performance.now();
  const before = process.cpuUsage();
  await run(100_000, 64, payload);
  const perSecond = 100_000 / ((performance.now() - start) / 1000);
  const cpu = process.cpuUsage(before);
  const cpuUs = (cpu.user + cpu.system) / 100_000;
  const bulk = performance.now();
  await run(8, 1, new Uint8Array(16 << 20));
  const mbs = (8 * 32) / ((performance.now() - bulk) / 1000);
  console.log(
    `p50 ${at(times, 0.5).toFixed(0)} us, p99 ${at(times, 0.99).toFixed(0)} us, ${perSecond.toFixed(0)} calls/s at 64 (${cpuUs.toFixed(1)} us CPU here), bulk ${mbs.toFixed(0)} MB/s`,
  );
}
await link.close();
server.stdin.end();
rmSync(directory, { recursive: true });
