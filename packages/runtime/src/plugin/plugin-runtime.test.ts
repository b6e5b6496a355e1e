import { ErrorCode } from "@orchestrator/protocol";
import { memoryLinkPair } from "@orchestrator/transport";
import { expect, it } from "vitest";
import { rawHost, toolCall } from "../../test/support/raw-host.ts";
import { RawPeer } from "../../test/support/raw-peer.ts";
import { definePlugin } from "../define-plugin.ts";

const definition = { id: "p", version: "1.0.0" };
const registration = (accepted: boolean) => (request: { request: { $case: string } | undefined }) =>
  request.request?.$case === "register"
    ? { response: { $case: "register" as const, value: { accepted, rejectReason: accepted ? "" : "no room" } } }
    : undefined;

it("registers over the link that its host hands it, with its whole manifest", async () => {
  const host = rawHost({ ...definition, needs: { events: ["news"] } }, { answer: registration(true) });
  const { request, context } = await host.request("register");
  expect(request?.value).toMatchObject({ id: "p", language: "typescript", needsEvents: ["news"] });
  expect(context?.acceptsCalls).toBe(true);
});

it("stops, and has not ended well, where that host refuses it", async () => {
  const host = rawHost(definition, { answer: registration(false) });
  expect(await host.runtime.stopped).toBe(false);
  expect(host.logs).toEqual(["error: The hub refused the plugin: no room"]);
});

it("runs its shutdown hook when the link ends without a word", async () => {
  const hook = Promise.withResolvers<void>();
  const host = rawHost({ ...definition, shutdown: () => hook.resolve() });
  await host.request("register");
  await host.link.close(0);
  await hook.promise;
  expect(await host.runtime.stopped).toBe(true);
});

it("refuses calls of its own once the link is gone", async () => {
  const host = rawHost(definition);
  await host.request("register");
  await host.link.close(0);
  await host.runtime.stopped;
  await expect(host.runtime.hub.callTool("t")).rejects.toMatchObject({ code: ErrorCode.Unavailable });
});

it("is refused as a definition before it runs, with words that say what to change", () => {
  const define = (more: object) => () => definePlugin({ ...definition, ...more });
  expect(define({ id: "no/slash" })).toThrow(/Plugin id "no\/slash"/);
  expect(define({ flags: { "certs-dir": "" } })).toThrow(/Flag "--certs-dir".*belongs to the host/);
  expect(define({ flags: { "a b": "" } })).toThrow(/"a b" cannot be the name of a flag/);
  expect(define({ tools: { t: { description: "t" } } })).toThrow(/Tool "t" has neither run nor stream/);
});

it("serves over any link by its handler, more than one at a time", async () => {
  const plugin = definePlugin({ ...definition, tools: { t: { description: "t", run: () => "done" } } });
  for (const name of ["a", "b"]) {
    const peer = new RawPeer();
    memoryLinkPair({ names: [name, "p"], accept: [peer.accept, plugin.handler] });
    expect((await peer.ask(toolCall("t"))).response?.value).toMatchObject({ result: { text: "done" } });
  }
});
