import { readdirSync, readFileSync } from "node:fs";
import { openAuthority } from "@orchestrator/identity";
import type { PluginResponse } from "@orchestrator/protocol";
import { LinkPeer } from "@orchestrator/transport";
import { dialQuic } from "@orchestrator/transport-quic";
import { describe, expect, it } from "vitest";
import { operatorPeer, request, type StartTestHubOptions, startTestHub, type TestHub } from "../src/testing/index.ts";
import { call, hubsOfTests } from "./hubs.ts";
import { fixture } from "./plugins.ts";

const start = hubsOfTests();

/** What the misbehaving plugin serves on. */
type Carrier = "quic" | "fd";
const CARRIERS: readonly Carrier[] = ["quic", "fd"];

/** A hub with a plugin that behaves, and one that misbehaves in the named way. */
function startBeside(
  behaviour: string,
  link: Carrier,
  options: StartTestHubOptions = {},
  more: Record<string, unknown> = {},
) {
  const plugins = [
    fixture("tools.bad", { BEHAVIOUR: behaviour, TOOLS: "bad,wait", LINK: link }, more),
    fixture("tools.good", { TOOLS: "echo", LINK: "fd" }),
  ];
  return start({ plugins, restart: { maxCrashes: 0 }, ...options });
}

function toolCall(response: PluginResponse) {
  if (response.response?.$case !== "toolCall") throw new Error(`answered with ${response.response?.$case}`);
  return response.response.value;
}

const bad = (hub: TestHub) => hub.hub.plugins[0]!.supervised;
const log = (hub: TestHub, source: string) => hub.hub.log.tail(10_000, source).map((entry) => entry.text);

describe.each(CARRIERS)("a plugin on %s that cannot start", (link) => {
  it.each([
    ["exit-at-once", "exited with code 3 before it was ready"],
    ["refuse-register", "refused to register: not today"],
    ["refuse-boot", "refused to boot: the database is missing"],
    ["exit-in-boot", "exited with code 5"],
  ])("%s: is reported with its reason, and the others run", async (behaviour, reason) => {
    const hub = await startBeside(behaviour, link);
    const state = bad(hub).state;
    if (state.name !== "failed") throw new Error(state.name);
    expect(state.error.message).toContain(reason);
    expect(hub.hub.status().problems.join()).toContain(reason);
    expect(toolCall(await call(await operatorPeer(hub), "echo")).success).toBe(true);
  });

  // A plugin on the socket that it inherited names no address.
  if (link === "quic") {
    it("by sending the hub elsewhere: is reported", async () => {
      const hub = await startBeside("ready-elsewhere", link);
      expect(hub.hub.status().problems.join()).toContain("not a loopback address");
    });
  }

  it.each(["never-ready", "hang-boot"])("%s: is ended after its start timeout", async (behaviour) => {
    const hub = await startBeside(behaviour, link, {}, { start_timeout_ms: 1_500 });
    expect(bad(hub).state.name).toBe("failed");
    expect(bad(hub).pid).toBe(0);
  });

  it("tells its last words", async () => {
    const hub = await startBeside("exit-at-once", link);
    const state = bad(hub).state;
    expect(state.name === "failed" && state.error.message).toContain("| no licence found");
  });
});

describe.each(CARRIERS)("a plugin on %s that leaves", (link) => {
  it("answers the calls in flight as unavailable, withdraws its routes and comes back", async () => {
    const hub = await start({
      plugins: [fixture("tools.bad", { TOOLS: "bad,wait", LINK: link })],
      restart: { delaysMs: [150] },
    });
    const operator = await operatorPeer(hub);
    const pending = call(operator, "wait");
    await expect.poll(() => log(hub, "tools.bad").includes("waiting")).toBe(true);
    process.kill(bad(hub).pid, "SIGKILL");
    const answer = await pending;
    expect(toolCall(answer)).toMatchObject({ success: false, errorCode: "routing_error" });
    expect(answer.error).toMatchObject({ code: 8, retryable: true });
    await bad(hub).reached("backoff");
    const tools = await request(operator, { $case: "listTools", value: {} });
    expect(tools.response).toMatchObject({ value: { tools: [] } });
    expect((await call(operator, "bad")).error).toMatchObject({ code: 8 });
    await bad(hub).reached("ready");
    expect(toolCall(await call(operator, "bad")).success).toBe(true);
    expect(bad(hub).starts).toBe(2);
  });

  it("right after READY, is restarted and then given up", async () => {
    const hub = await startBeside("ready-then-exit", link, { restart: { maxCrashes: 2, delaysMs: [1] } });
    await bad(hub).reached("failed");
    expect(bad(hub).starts).toBe(3);
    expect(toolCall(await call(await operatorPeer(hub), "echo")).success).toBe(true);
  });

  it("in the middle of a call, by its own exit", async () => {
    const hub = await startBeside("exit-mid-call", link);
    expect(toolCall(await call(await operatorPeer(hub), "bad")).errorCode).toBe("routing_error");
  });
});

describe.each(CARRIERS)("a plugin on %s that lies", (link) => {
  it.each([
    ["wrong-member", "invalid_response"],
    ["garbage", "invalid_response"],
    ["seventeen-mebibytes", "routing_error"],
  ])("%s: the caller gets a clear error", async (behaviour, code) => {
    const hub = await startBeside(behaviour, link);
    const operator = await operatorPeer(hub);
    expect(toolCall(await call(operator, "bad"))).toMatchObject({ success: false, errorCode: code });
    expect(toolCall(await call(operator, "echo")).success).toBe(true);
  });

  it("about the request id, is put right", async () => {
    const hub = await startBeside("wrong-id", link);
    const value = { toolName: "bad", arguments: {}, callerPlugin: "", traceParent: "", provider: "", sessionId: "" };
    const { PluginRequest, PluginResponse: Response } = await import("@orchestrator/protocol");
    const bytes = PluginRequest.encode({
      requestId: "mine",
      request: { $case: "toolCall", value },
      context: undefined,
    }).finish();
    expect(Response.decode(await (await operatorPeer(hub)).call(bytes)).requestId).toBe("mine");
  });

  it("by answering twice, is heard once", async () => {
    const hub = await startBeside("twice", link);
    const operator = await operatorPeer(hub);
    for (let i = 0; i < 20; i += 1) expect(toolCall(await call(operator, "bad")).result).toEqual({ text: "first" });
    expect(hub.hub.status().callsInFlight).toBe(0);
  });

  it("about its manifest, is refused: the certificate says who it is", async () => {
    const plugin = fixture("tools.bad", { BEHAVIOUR: "lying-manifest", TOOLS: "registered", LINK: link });
    const hub = await start({ plugins: [plugin] });
    const { result } = toolCall(await call(await operatorPeer(hub), "registered"));
    expect(result?.["text"]).toContain('"accepted":false');
  });

  it("by filling its stderr, is read for ever", async () => {
    const hub = await startBeside("flood-stderr", link);
    await expect.poll(() => log(hub, "tools.bad").includes("flood over"), { timeout: 5_000 }).toBe(true);
    expect(toolCall(await call(await operatorPeer(hub), "bad")).success).toBe(true);
  });
});

describe("a peer that may not come in", () => {
  async function refused(
    hub: TestHub,
    options: { certs?: string; alpn?: string; anonymous?: boolean },
  ): Promise<unknown> {
    const authority = options.certs === undefined ? hub.authority : await openAuthority(options.certs);
    const tls = { ...(await authority.leaf("tools.x-client")), caPem: hub.authority.caPem };
    const peer = new LinkPeer();
    const attempt = (async () => {
      await dialQuic(
        hub.hub.address,
        {
          tls: options.anonymous === true ? { ...tls, certPem: "", keyPem: "" } : tls,
          ...(options.alpn ? { alpn: options.alpn } : {}),
        },
        peer.accept,
      );
      await request(peer, { $case: "health", value: {} });
    })();
    return await attempt.then(
      () => undefined,
      (reason: unknown) => reason,
    );
  }

  it("has a certificate of another authority", async () => {
    const hub = await start({});
    expect(await refused(hub, { certs: `${hub.directory}/foreign` })).toMatchObject({ name: "HubError" });
    await expect.poll(() => log(hub, "hub").join()).toContain("Refused a peer");
  });

  it("has no certificate", async () => {
    const hub = await start({});
    expect(await refused(hub, { anonymous: true })).toMatchObject({ name: "HubError" });
  });

  it("speaks another protocol", async () => {
    const hub = await start({});
    expect(await refused(hub, { alpn: "h3" })).toMatchObject({ name: "HubError" });
  });

  it.each([
    ["a tool name of 9 MiB", { requestId: "1", toolName: "x".repeat(9 * 1024 * 1024) }],
    ["a request id that fills the message", { requestId: "y".repeat(16 * 1024 * 1024 - 100), toolName: "z" }],
  ])("sends %s: it is refused, and the hub lives", async (_name, { requestId, toolName }) => {
    const hub = await start({ plugins: [fixture("tools.a", { TOOLS: "echo" })] });
    const nobody = await hub.connect("nobody-client");
    const { PluginRequest, PluginResponse: Response } = await import("@orchestrator/protocol");
    const value = { toolName, arguments: undefined, callerPlugin: "", traceParent: "", provider: "", sessionId: "" };
    const bytes = PluginRequest.encode({
      requestId,
      request: { $case: "toolCall", value },
      context: undefined,
    }).finish();
    expect(Response.decode(await nobody.call(bytes)).error?.message).toContain("longer than 1024 bytes");
    expect(toolCall(await call(await operatorPeer(hub), "echo")).success).toBe(true);
  });

  it("has a name that looks like a gateway's, and no rights", async () => {
    const hub = await start({ plugins: [fixture("tools.a", { TOOLS: "echo" })] });
    expect(toolCall(await call(await hub.connect("transport.files-client"), "echo")).errorCode).toBe(
      "permission_denied",
    );
  });

  it("sends two names in one request", async () => {
    const hub = await start({ plugins: [fixture("tools.a", { TOOLS: "echo" })] });
    const operator = await operatorPeer(hub);
    const { PluginRequest, PluginResponse: Response } = await import("@orchestrator/protocol");
    const one = (toolName: string) => {
      const value = { toolName, arguments: {}, callerPlugin: "", traceParent: "", provider: "", sessionId: "" };
      return PluginRequest.encode({
        requestId: "",
        request: { $case: "toolCall", value },
        context: undefined,
      }).finish();
    };
    const answer = Response.decode(await operator.call(Buffer.concat([one("echo"), one("delete_everything")])));
    expect(answer.error?.code).toBe(12);
    expect(toolCall(await call(operator, "echo")).success).toBe(true);
  });
});

describe("stopping the hub", () => {
  it("ends plugins that neither answer nor heed SIGTERM, all at once", async () => {
    const plugins = ["a", "b", "c"].map((name) =>
      fixture(`tools.${name}`, { BEHAVIOUR: "hang-shutdown", TOOLS: `t${name}` }),
    );
    const hub = await start({ plugins });
    const pids = hub.hub.plugins.map((plugin) => plugin.supervised.pid);
    const states = () => hub.hub.plugins.map((plugin) => plugin.supervised.state.name);
    const stopped = hub.stop();
    await expect.poll(states, { interval: 5 }).toEqual(["draining", "draining", "draining"]);
    await stopped;
    expect(states()).toEqual(["stopped", "stopped", "stopped"]);
    const alive = readdirSync("/proc").filter((pid) => pids.includes(Number(pid)));
    const left = alive.filter((pid) => !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8")));
    expect(left).toEqual([]);
  });

  it("can be asked for while plugins start", async () => {
    const hub = await startTestHub({ plugins: [], shutdownMs: 100, termMs: 100 });
    await Promise.all([hub.stop(), hub.stop()]);
  });
});

describe("the operator", () => {
  it("alone may control the hub", async () => {
    const hub = await start({ plugins: [fixture("tools.a")] });
    const status = { $case: "control", value: { command: { $case: "status", value: {} } } } as const;
    const denied = await request(await hub.connect("transport.stdio-client"), status);
    expect(denied.error).toMatchObject({ code: 5 });
    const granted = await request(await operatorPeer(hub), status);
    expect(granted.response).toMatchObject({
      $case: "control",
      value: { result: { $case: "status", value: { pluginsReady: 1, pid: process.pid } } },
    });
  });

  it("sees plugins, calls and logs, and can restart a plugin", async () => {
    const hub = await start({ plugins: [fixture("tools.a")] });
    const operator = await operatorPeer(hub);
    const control = async (command: Record<string, unknown>) =>
      await request(operator, { $case: "control", value: { command } } as Parameters<typeof request>[1]);
    const pid = hub.hub.plugins[0]!.supervised.pid;
    const restarted = await control({ $case: "restart", value: { plugin: "tools.a" } });
    expect(restarted.response).toMatchObject({ value: { result: { $case: "done" } } });
    expect(hub.hub.plugins[0]!.supervised.pid).not.toBe(pid);
    const plugins = await control({ $case: "plugins", value: {} });
    expect(plugins.response).toMatchObject({
      value: { result: { value: { plugins: [{ id: "tools.a", state: "ready" }] } } },
    });
    const logs = await control({ $case: "logs", value: { plugin: "tools.a", tail: 1_000, follow: false } });
    expect(JSON.stringify(logs.response)).toContain("READY");
    const unknown = await control({ $case: "restart", value: { plugin: "nope" } });
    expect(unknown.error?.message).toContain("tools.a");
    expect(unknown.error?.code).toBe(2);
  });
});
