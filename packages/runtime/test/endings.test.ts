import { createSocket } from "node:dgram";
import { once } from "node:events";
import { ErrorCode, fromWireCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { testCerts } from "./support/certs.ts";
import { startHub, startUnderHub } from "./support/hosts.ts";
import { startFixture } from "./support/program.ts";
import { toolCall } from "./support/raw-peer.ts";

describe.concurrent("a command line", () => {
  it("prints the manifest on one line, with the keys in the order that hosts know, and nothing else", async () => {
    await using program = startFixture("greeter.ts", ["--certs-dir=/nowhere", "--manifest"]);
    expect(await program.exited).toBe(0);
    expect(program.lines).toEqual([]);
    expect(program.stdout).toMatch(/^\{[^\n]*\}\n$/);
    expect(Object.keys(JSON.parse(program.stdout))).toEqual([
      "id",
      "version",
      "description",
      "author",
      "language",
      "provides_tools",
      "provides_storage",
      "provides_transport",
      "provides_ai",
      "provides_prompts",
      "needs_storage",
      "needs_ai",
      "needs_tools",
    ]);
  });

  it("explains itself", async () => {
    await using program = startFixture("greeter.ts", ["--help"]);
    expect(await program.exited).toBe(0);
    expect(program.stdout).toContain("--workspace VALUE");
  });

  it("ends with 2 on a flag that it does not know", async () => {
    await using program = startFixture("greeter.ts", ["--colour=red"]);
    expect(await program.exited).toBe(2);
    expect(program.lines[0]).toBe('Unknown flag "--colour"');
    expect(program.stdout).toBe("");
  });
});

describe.concurrent("a start that fails", () => {
  it("ends with 1 and the message of setup", async () => {
    await using certs = await testCerts();
    await using program = startFixture("greeter.ts", [`--certs-dir=${certs.directory}`, "--workspace=nowhere"]);
    expect(await program.exited).toBe(1);
    expect(program.lines[0]).toMatch(/^error: Cannot start plugin "test.greeter": There is no workspace "nowhere"/);
    expect(program.lines.some((line) => line.startsWith("READY"))).toBe(false);
  });

  it("ends with 1 without certificates", async () => {
    await using certs = await testCerts();
    await using program = startFixture("greeter.ts", [`--certs-dir=${certs.directory}/none`]);
    expect(await program.exited).toBe(1);
    expect(program.lines[0]).toMatch(/Cannot find a certificate authority/);
  });

  it("ends with 1 where the address is taken", async () => {
    await using certs = await testCerts();
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    const words = [`--certs-dir=${certs.directory}`, `--listen-addr=127.0.0.1:${socket.address().port}`];
    await using program = startFixture("greeter.ts", words);
    expect(await program.exited).toBe(1);
    expect(program.lines.join("\n")).toMatch(/Cannot start plugin/);
    socket.close();
  });

  it("ends with 1 and the reason when the hub refuses it", async () => {
    const answer = ({ request }: { request: { $case: string } | undefined }) =>
      request?.$case === "register"
        ? { response: { $case: "register" as const, value: { accepted: false, rejectReason: "twice is too often" } } }
        : undefined;
    await using certs = await testCerts();
    await using hub = await startHub(certs, { answer });
    const flags = [`--orchestrator-addr=${hub.address}`, "--listen-addr=localhost:0", `--certs-dir=${certs.directory}`];
    await using program = startFixture("greeter.ts", flags);
    expect(await program.exited).toBe(1);
    expect(program.lines.at(-1)).toMatch(/^error: The hub at .* refused the plugin: twice is too often$/);
  });
});

describe.concurrent("a crash", () => {
  it.each([
    ["crash", "Uncaught exception", "out of reach", false],
    ["stray", "Unhandled rejection", "left behind", false],
    ["crash", "Uncaught exception", "out of reach", true],
  ])("(%s, %s) answers calls in flight, is logged, and ends with 1", async (name, what, message, deno) => {
    await using setup = await startUnderHub([], { deno });
    const waiting = setup.host.ask(toolCall("sleep"));
    const crashing = setup.host.ask(toolCall(name));
    for (const answer of await Promise.all([waiting, crashing])) {
      expect(answer.response?.value).toMatchObject({ success: false, errorMessage: `The plugin crashed: ${message}` });
      expect(fromWireCode(answer.error!.code)).toBe(ErrorCode.Internal);
    }
    expect(await setup.program.exited).toBe(1);
    const line = setup.program.lines.find((text) => text.startsWith(`error: ${what}: ${message}`));
    expect(line).toContain("greeter.ts");
  });
});

describe.concurrent("a shutdown", () => {
  it("lets calls in flight finish first", async () => {
    await using setup = await startUnderHub();
    const napping = setup.host.ask(toolCall("nap", { ms: 200 }));
    await setup.program.line(/Napping/);
    const stopped = await setup.host.ask({ $case: "shutdown", value: { timeoutSeconds: 5 } });
    expect((await napping).response?.value).toMatchObject({ success: true, result: { text: "rested" } });
    expect(stopped.response?.value).toMatchObject({ clean: true });
    expect(await setup.program.exited).toBe(0);
  });

  it("aborts those that take longer than it may, and says so", async () => {
    await using setup = await startUnderHub();
    const sleeping = setup.host.ask(toolCall("sleep"));
    const stopped = await setup.host.ask({ $case: "shutdown", value: { timeoutSeconds: 1 } });
    expect(fromWireCode((await sleeping).error!.code)).toBe(ErrorCode.Unavailable);
    expect(stopped.response?.value).toMatchObject({ clean: false });
    expect(await setup.program.exited).toBe(0);
    expect(setup.program.lines.filter((line) => line.includes("Shutdown hook ran"))).toHaveLength(1);
  });

  it("runs the hook once, however often it is asked for", async () => {
    await using setup = await startUnderHub();
    const ask = () => setup.host.ask({ $case: "shutdown", value: { timeoutSeconds: 5 } });
    const [first, second] = await Promise.allSettled([ask(), ask()]);
    expect(first).toMatchObject({ status: "fulfilled", value: { response: { value: { clean: true } } } });
    // By the time it arrives the plugin may take no more calls.
    if (second.status === "fulfilled") expect(second.value.response?.value).toMatchObject({ clean: true });
    else expect(second.reason).toMatchObject({ code: ErrorCode.Unavailable });
    setup.program.signal("SIGTERM");
    await setup.program.exited;
    expect(setup.program.lines.filter((line) => line.includes("Shutdown hook ran"))).toHaveLength(1);
  });

  it("comes by SIGINT as well", async () => {
    await using setup = await startUnderHub();
    setup.program.signal("SIGINT");
    expect(await setup.program.exited).toBe(0);
    // Not necessarily the last line: the registration may end meanwhile.
    expect(setup.program.lines.join("\n")).toContain("Shutdown hook ran");
  });
});
