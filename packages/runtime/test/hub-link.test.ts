import { ErrorCode, fromWireCode, type PluginRequest } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { testCerts } from "./support/certs.ts";
import { dialPlugin, startHub, startUnderHub } from "./support/hosts.ts";
import { fixtureCommand, startFixture } from "./support/program.ts";
import { toolCall } from "./support/raw-peer.ts";

const pong = {
  $case: "toolCall" as const,
  value: { success: true, result: { text: "pong" }, errorCode: "", errorMessage: "" },
};
const answerPing = ({ request }: PluginRequest) => (request?.$case === "toolCall" ? { response: pong } : undefined);

describe.concurrent("a hub that goes away", () => {
  it("fails the calls on their way and is found again, with its subscriptions, when it comes back", async () => {
    await using setup = await startUnderHub([], {
      answer: ({ request }) => (request?.$case === "toolCall" ? "silence" : undefined),
    });
    const { certs, host, hub, program } = setup;
    expect((await host.ask(toolCall("subscribe", { topic: "news" }))).response?.value).toMatchObject({ success: true });
    const first = await hub.peer.request("subscribe");
    const pending = host.ask(toolCall("relay", { tool: "ping" }));
    await hub.peer.request("toolCall");

    await hub.stop();
    expect(fromWireCode((await pending).error!.code)).toBe(ErrorCode.Unavailable);
    // Made while there is no hub: waits for it.
    const early = host.ask(toolCall("relay", { tool: "ping" }));
    await program.line(/No connection to the hub/);

    await using again = await startHub(certs, { answer: answerPing }, hub.address);
    expect((await again.peer.request("register")).request?.value).toMatchObject({ id: "test.greeter" });
    expect((await again.peer.request("subscribe")).request).toEqual(first.request);
    expect((await early).response?.value).toMatchObject({ success: true, result: { text: "pong" } });
    expect((await host.ask(toolCall("greet", { name: "Ada" }))).response?.value).toMatchObject({ success: true });
  });

  it("may come late: calls wait for it, but no longer than their deadline", async () => {
    await using certs = await testCerts();
    const address = await freeAddress(certs);
    const words = [`--orchestrator-addr=${address}`, `--certs-dir=${certs.directory}`];
    await using program = startFixture("greeter.ts", words);
    const host = await dialPlugin(certs, await program.ready());
    const late = await host.ask(toolCall("relay", { tool: "ping" }), { context: { timeoutMs: 50 } });
    expect(late.response?.value).toMatchObject({ success: false });
    const waiting = host.ask(toolCall("relay", { tool: "ping" }));
    await using _hub = await startHub(certs, { answer: answerPing }, address);
    expect((await waiting).response?.value).toMatchObject({ success: true, result: { text: "pong" } });
  });
});

describe.concurrent("a parent that goes away", () => {
  const launcher = (words: readonly string[], deno = false, plugin = "greeter.ts") =>
    startFixture("launcher.ts", [...fixtureCommand(plugin, deno), ...words]);

  it("takes the plugin with it, where the hub is gone too", async () => {
    await using certs = await testCerts();
    await using hub = await startHub(certs);
    await using parent = launcher([`--orchestrator-addr=${hub.address}`, `--certs-dir=${certs.directory}`]);
    await parent.line(/Registered with the hub/);
    parent.child.kill("SIGKILL");
    await hub.stop();
    // The pipe closes with the plugin, its last holder. What it says of the lost hub may come before and after its hook.
    await parent.exited;
    expect(parent.lines.join("\n")).toContain("Shutdown hook ran");
  });

  it("takes the plugin with it, where the hub says nothing any more", async () => {
    await using certs = await testCerts();
    await using hub = await startHub(certs, {
      answer: ({ request }) => (request?.$case === "health" ? "silence" : undefined),
    });
    const words = [`--orchestrator-addr=${hub.address}`, `--certs-dir=${certs.directory}`];
    await using parent = launcher(words, false, "impatient.ts");
    await parent.line(/Registered with the hub/);
    parent.child.kill("SIGKILL");
    await parent.exited;
    expect(parent.lines.join("\n")).toContain("Shutdown hook ran");
  });

  it("leaves the plugin where it is while the hub lives", async () => {
    await using certs = await testCerts();
    await using hub = await startHub(certs);
    await using parent = launcher([`--orchestrator-addr=${hub.address}`, `--certs-dir=${certs.directory}`]);
    const host = await dialPlugin(certs, await parent.ready());
    await parent.line(/Registered with the hub/);
    parent.child.kill("SIGKILL");
    await hub.peer.request("health");
    expect((await host.ask(toolCall("greet", { name: "Ada" }))).response?.value).toMatchObject({ success: true });
    await hub.stop();
    await parent.exited;
  });

  it.each([
    ["Node", false],
    ["Deno", true],
  ])("takes the plugin with it, where there never was a hub, under %s", async (_name, deno) => {
    await using certs = await testCerts();
    await using parent = launcher([`--certs-dir=${certs.directory}`], deno);
    await parent.ready();
    parent.child.kill("SIGKILL");
    await parent.exited;
    expect(parent.lines.at(-1)).toContain("Shutdown hook ran");
  });
});

describe.concurrent("who may ask", () => {
  it("is a host, and no other plugin", async () => {
    await using setup = await startUnderHub();
    const address = await setup.program.ready();
    const other = await dialPlugin(setup.certs, address, "some.plugin-client");
    const refused = await other.ask(toolCall("greet", { name: "Ada" }));
    expect(fromWireCode(refused.error!.code)).toBe(ErrorCode.PermissionDenied);
    expect(refused.error!.message).toContain("ORCHESTRATOR_ALLOW_PEERS=some.plugin-client");
    expect((await other.ask({ $case: "shutdown", value: { timeoutSeconds: 1 } })).error).toBeDefined();
    expect((await setup.host.ask(toolCall("greet", { name: "Ada" }))).response?.value).toMatchObject({ success: true });
  });

  it("may be widened by the operator", async () => {
    await using setup = await startUnderHub([], { env: { ORCHESTRATOR_ALLOW_PEERS: "a,some.plugin-client" } });
    const other = await dialPlugin(setup.certs, await setup.program.ready(), "some.plugin-client");
    expect((await other.ask(toolCall("greet", { name: "Ada" }))).response?.value).toMatchObject({ success: true });
  });
});

/** An address that was free a moment ago. */
async function freeAddress(certs: Awaited<ReturnType<typeof testCerts>>): Promise<string> {
  await using hub = await startHub(certs);
  return hub.address;
}
