import { ErrorCode } from "@orchestrator/protocol";
import { expect, it } from "vitest";
import { memoryLinkPair } from "../memory/memory-link.ts";
import { LinkPeer } from "./link-peer.ts";

it("gives a call up after its timeout, and tells the side that serves it", async () => {
  const cancelled = Promise.withResolvers<void>();
  const server = new LinkPeer((call) => call.signal.addEventListener("abort", () => cancelled.resolve()));
  const client = new LinkPeer();
  memoryLinkPair({ names: ["server", "client"], accept: [client.accept, server.accept] });
  const failed = expect(client.call(new Uint8Array(1), { timeoutMs: 1 })).rejects;
  await failed.toMatchObject({ code: ErrorCode.DeadlineExceeded, message: "No answer came within 1 ms" });
  await cancelled.promise;
  expect(client.openCalls).toBe(0);
});
