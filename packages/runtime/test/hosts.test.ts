import { ErrorCode, fromWireCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { testCerts } from "./support/certs.ts";
import { dialPlugin, startUnderHub } from "./support/hosts.ts";
import { startFixture } from "./support/program.ts";
import { streamStart, toolCall } from "./support/raw-peer.ts";

describe.concurrent.each([
  ["Node", false],
  ["Deno", true],
])("a plugin program under %s", (_name, deno) => {
  it("works under a stand-alone orchestrator: register, boot, list_tools, calls both ways", async () => {
    await using setup = await startUnderHub(["--workspace=/w"], {
      deno,
      answer: ({ request }) =>
        request?.$case === "toolCall"
          ? {
              response: {
                $case: "toolCall",
                value: { success: true, result: { text: "pong" }, errorCode: "", errorMessage: "" },
              },
            }
          : undefined,
    });
    const { host, hub, program } = setup;

    const registered = await hub.peer.request("register");
    expect(registered.request?.value).toMatchObject({
      id: "test.greeter",
      version: "1.2.3",
      providesPrompts: ["hello"],
      needsEvents: ["news"],
    });
    expect(hub.peer.link.peer).toBe("test.greeter-client");

    const manifest = { ...(registered.request as { value: object }).value, id: "some-other-id" } as never;
    const accepted = await host.ask({ $case: "register", value: manifest });
    expect(accepted.response).toMatchObject({ $case: "register", value: { accepted: true } });
    const boot = (config: Record<string, string>) => host.ask({ $case: "boot", value: { config } });
    expect((await boot({ mood: "good" })).response?.value).toMatchObject({ ready: true });
    expect((await boot({ mood: "bad" })).response?.value).toEqual(
      expect.objectContaining({ ready: false, error: "Cannot greet in a bad mood" }),
    );
    const listed = await host.ask({ $case: "listTools", value: {} }, { requestId: "r4" });
    expect(listed.requestId).toBe("r4");
    expect(listed.response?.$case === "listTools" && listed.response.value.tools.map(({ name }) => name)).toContain(
      "greet",
    );

    const greeted = await host.ask(toolCall("greet", { name: "Ada" }, { callerPlugin: "transport.stdio" }));
    expect(greeted.response?.value).toMatchObject({
      success: true,
      result: { text: "Hello Ada", caller: "transport.stdio", workspace: "/w", mood: "good" },
    });
    const relayed = await host.ask(toolCall("relay", { tool: "ping" }));
    expect(relayed.response?.value).toMatchObject({ success: true, result: { text: "pong" } });
    expect((await hub.peer.request("toolCall")).request?.value).toMatchObject({
      toolName: "ping",
      callerPlugin: "test.greeter",
      arguments: { from: "relay" },
    });

    const stopped = await host.ask({ $case: "shutdown", value: { timeoutSeconds: 5 } });
    expect(stopped.response?.value).toMatchObject({ clean: true });
    expect(await program.exited).toBe(0);
    expect(program.lines.filter((line) => line.includes("Shutdown hook ran"))).toHaveLength(1);
    expect(program.stdout).toBe("");
  });

  it("works under a host that lists first, names no hub, sends no ids, and never registers or boots", async () => {
    await using certs = await testCerts();
    const words = ["--listen-addr", "localhost:0", "--certs-dir", certs.directory];
    await using program = startFixture("greeter.ts", words, { deno });
    const host = await dialPlugin(certs, await program.ready(), "orchestra-host-client");
    const tools = await host.ask({ $case: "listTools", value: {} }, { requestId: "" });
    expect(tools).toMatchObject({ requestId: "", response: { $case: "listTools" } });
    const prompts = await host.ask({ $case: "listPrompts", value: {} }, { requestId: "" });
    expect(prompts.response?.value).toMatchObject({ prompts: [{ name: "hello", arguments: [{ required: true }] }] });
    const greeted = await host.ask(toolCall("greet", { name: "Ada" }), { requestId: "greet" });
    expect(greeted).toMatchObject({ requestId: "greet", response: { value: { result: { text: "Hello Ada" } } } });
    const relayed = await host.ask(toolCall("relay", { tool: "ping" }));
    expect(fromWireCode(relayed.error!.code)).toBe(ErrorCode.Unavailable);
    expect(relayed.response?.value).toMatchObject({ errorMessage: expect.stringContaining("--orchestrator-addr") });
    expect((await host.ask({ $case: "health", value: {} })).response?.value).toMatchObject({ message: "ok" });
    program.signal("SIGTERM");
    expect(await program.exited).toBe(0);
    expect(program.lines.filter((line) => line.includes("Shutdown hook ran"))).toHaveLength(1);
  });

  it("streams, and stops when it is told to, on the same stream and on another", async () => {
    await using setup = await startUnderHub([], { deno });
    const { host, program } = setup;
    const whole = host.open(streamStart("count", "s-0", { to: 5 }));
    expect((await whole.last).response).toMatchObject({ $case: "streamEnd", value: { success: true, totalChunks: 5 } });
    expect(whole.messages).toHaveLength(6);

    const same = host.open(streamStart("count", "s-1"), { last: false });
    await same.received(3);
    host.send(same, { $case: "streamCancel", value: { streamId: "s-1" } });
    expect((await same.last).response?.value).toMatchObject({ streamId: "s-1", success: false });

    const other = host.open(streamStart("count", "s-2"));
    await other.received(3);
    await host.ask({ $case: "streamCancel", value: { streamId: "s-2" } });
    expect((await other.last).response?.value).toMatchObject({ streamId: "s-2", success: false });
    expect(program.lines.filter((line) => line.includes("Counted to the end"))).toHaveLength(1);
  });
});
