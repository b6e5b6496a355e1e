import type { PluginResponse } from "@orchestrator/protocol";
import type { LinkPeer } from "@orchestrator/transport";
import { afterAll, afterEach, beforeAll } from "vitest";
import { request, type StartTestHubOptions, startTestHub, type TestHub } from "../src/testing/index.ts";

/** @returns what starts hubs that end with their test, and have little patience with plugins that do not end */
export function hubsOfTests(defaults: StartTestHubOptions = {}): (options: StartTestHubOptions) => Promise<TestHub> {
  const hubs: TestHub[] = [];
  afterEach(async () => {
    await Promise.all(hubs.splice(0).map((hub) => hub.stop()));
  });
  return async (options) => {
    const hub = await startTestHub({ shutdownMs: 300, termMs: 300, ...defaults, ...options });
    hubs.push(hub);
    return hub;
  };
}

/** One hub for all tests of a block, which leave it as they find it. @returns it, once the tests run */
export function sharedHub(options: StartTestHubOptions): () => TestHub {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub({ shutdownMs: 300, termMs: 300, ...options });
  });
  afterAll(async () => await hub?.stop());
  return () => hub;
}

/** Calls a tool; an error is part of the answer. */
export async function call(
  peer: LinkPeer,
  toolName: string,
  args: Record<string, unknown> = {},
): Promise<PluginResponse> {
  const value = { toolName, arguments: args, callerPlugin: "", traceParent: "", provider: "", sessionId: "" };
  return await request(peer, { $case: "toolCall", value });
}

/** What a tool of a fixture answers, or "" where there is none. */
export async function text(peer: LinkPeer, toolName: string, args: Record<string, unknown> = {}): Promise<string> {
  const { response } = await call(peer, toolName, args);
  return String(response?.$case === "toolCall" ? response.value.result?.["text"] : "");
}
