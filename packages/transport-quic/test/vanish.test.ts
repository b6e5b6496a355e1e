import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { ErrorCode } from "@orchestrator/protocol";
import type { AcceptLink } from "@orchestrator/transport";
import { bytes, Recorder } from "@orchestrator/transport/conformance";
import { describe, expect, it } from "vitest";
import { dialQuic } from "../src/endpoint/dial.ts";
import { listenQuic } from "../src/endpoint/listen.ts";
import { LossyProxy } from "./lossy-proxy.ts";
import { testMaterial } from "./material.ts";

const material = await testMaterial();

/** Runs a fixture with its options in a file. */
async function start(fixture: string, options: object): Promise<{ child: ChildProcess; line: string }> {
  const directory = await mkdtemp(join(tmpdir(), "quic-vanish-"));
  const file = join(directory, "options.json");
  await writeFile(file, JSON.stringify(options));
  const program = fileURLToPath(new URL(`fixtures/${fixture}`, import.meta.url));
  const child = spawn(execPath, [program, file], { stdio: ["pipe", "pipe", "inherit"] });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout!.once("data", (text) => resolve(String(text).trim()));
    child.once("exit", (code) => reject(new Error(`${fixture} exited with ${code}`)));
  });
  await rm(directory, { recursive: true });
  return { child, line };
}

describe("a peer that is killed", () => {
  it("is missed by the side that dialled it as soon as it sends something", async () => {
    const { child, line } = await start("echo-server.ts", { tls: material.server });
    const recorder = new Recorder();
    const link = await dialQuic(line, { tls: material.client }, recorder.accept);
    link.open(bytes(1), true);
    await recorder.until("message");
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    link.open(bytes(2), true);
    const closed = await recorder.until("closed");
    expect(closed.error?.code).toBe(ErrorCode.Unavailable);
    expect(recorder.all("cancelled").map((told) => told.error.code)).toEqual([ErrorCode.Unavailable]);
    await link.closed;
  });

  it("is missed by the side that it dialled after the idle timeout, whatever the keep-alive", async () => {
    const asked = Promise.withResolvers<Recorder>();
    const options = { idleTimeoutMs: 300, keepAliveMs: 50 };
    // A client that cannot be quick enough tries again: each link has a recorder of its own.
    const accept: AcceptLink = (link) => {
      const recorder: Recorder = new Recorder(({ what }) => what === "request" && asked.resolve(recorder));
      return recorder.accept(link);
    };
    await using listener = await listenQuic("localhost:0", { tls: material.server, ...options }, accept);
    const { child } = await start("quiet-client.ts", { address: listener.address, tls: material.client, ...options });
    const recorder = await asked.promise;
    child.kill("SIGKILL");
    const closed = await recorder.until("closed");
    expect([recorder.all("cancelled")[0]!.error.code, closed.error?.code]).toEqual([
      ErrorCode.Unavailable,
      ErrorCode.Unavailable,
    ]);
  });

  it("is not missed while it merely has nothing to say: it is asked, and answers", async () => {
    const recorder = new Recorder();
    // Not so short that the link ends where this process stands still for a moment.
    const options = { idleTimeoutMs: 30_000, keepAliveMs: 20 };
    await using listener = await listenQuic("localhost:0", { tls: material.server, ...options }, recorder.accept);
    await using proxy = await LossyProxy.start(listener.address, 0, 1);
    const client = new Recorder();
    const link = await dialQuic(proxy.address, { tls: material.client, ...options }, client.accept);
    const before = proxy.passed;
    // The signs of life: nobody asks for anything else.
    await expect.poll(() => proxy.passed - before, { interval: 20 }).toBeGreaterThan(40);
    expect([link.isOpen, recorder.told, client.told]).toEqual([true, [], []]);
    await link.close();
  });
});
