import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuthority } from "@orchestrator/identity";
import type { PluginResponse } from "@orchestrator/protocol";
import { LinkPeer } from "@orchestrator/transport";
import { dialQuic } from "@orchestrator/transport-quic";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { operatorPeer, request, startTestHub, type TestHub, type TestPlugin } from "../src/testing/index.ts";
import { call, hubsOfTests, sharedHub } from "./hubs.ts";
import { fixture } from "./plugins.ts";

const start = hubsOfTests();

/** What the misbehaving plugin serves on. */
type Carrier = "quic" | "fd";
const CARRIERS: readonly Carrier[] = ["quic", "fd"];

/** One that misbehaves in the named way, with one tool. */
const badOn = (link: Carrier, behaviour: string, more: Record<string, unknown> = {}) =>
  fixture(idOf(link, behaviour), { BEHAVIOUR: behaviour, TOOLS: toolOf(link, behaviour), LINK: link }, more);
const idOf = (link: Carrier, behaviour: string) => `bad.${link}.${behaviour}`;
const toolOf = (link: Carrier, behaviour: string) => `${link}_${behaviour.replaceAll("-", "_")}`;

/** A hub for all tests of a block, with plugins that misbehave and one that does not. */
function besideGood(bad: readonly TestPlugin[]): () => TestHub {
  const plugins = [...bad, fixture("tools.good", { TOOLS: "echo", LINK: "fd" })];
  const hub = sharedHub({ plugins, restart: { maxCrashes: 0 } });
  afterEach(async () => {
    expect(toolCall(await call(await operatorPeer(hub()), "echo")).success).toBe(true);
  });
  return hub;
}

function toolCall(response: PluginResponse) {
  if (response.response?.$case !== "toolCall") throw new Error(`answered with ${response.response?.$case}`);
  return response.response.value;
}

const bad = (hub: TestHub) => hub.hub.plugins[0]!.supervised;
const log = (hub: TestHub, source: string) => hub.hub.log.tail(10_000, source).map((entry) => entry.text);

describe("a plugin that cannot start, beside others that run", () => {
  const REASONS = [
    ["exit-at-once", "exited with code 3 before it was ready"],
    ["refuse-register", "refused to register: not today"],
    ["refuse-boot", "refused to boot: the database is missing"],
    ["exit-in-boot", "exited with code 5"],
  ] as const;
  const LATE = ["never-ready", "hang-boot"] as const;
  const PATIENCE_MS = 700;
  const hub = besideGood([
    ...CARRIERS.flatMap((link) => [
      ...LATE.map((behaviour) => badOn(link, behaviour, { start_timeout_ms: PATIENCE_MS })),
      ...REASONS.map(([behaviour]) => badOn(link, behaviour)),
    ]),
    badOn("quic", "ready-elsewhere"),
    badOn("fd", "exit-before-link"),
  ]);
  const supervised = (link: Carrier, behaviour: string) =>
    hub().hub.plugins.find(({ id }) => id === idOf(link, behaviour))!.supervised;
  const reasonOf = (link: Carrier, behaviour: string) => {
    const { state } = supervised(link, behaviour);
    return state.name === "failed" ? state.error.message : state.name;
  };

  describe.each(CARRIERS)("on %s", (link) => {
    it.each(REASONS)("%s: is reported with its reason", (behaviour, reason) => {
      expect(reasonOf(link, behaviour)).toContain(reason);
      const problems = hub()
        .hub.status()
        .problems.filter((text) => text.includes(`"${idOf(link, behaviour)}"`));
      expect(problems.join()).toContain(reason);
    });

    it.each(LATE)("%s: is ended after its start timeout", (behaviour) => {
      expect(reasonOf(link, behaviour)).toContain(`was not ready within ${PATIENCE_MS} ms`);
      expect(supervised(link, behaviour).pid).toBe(0);
    });

    it("tells its last words", () => {
      expect(reasonOf(link, "exit-at-once")).toContain("| no licence found");
    });
  });

  it("on fd, while another process has its socket and its stderr: is reported with its reason", () => {
    expect(reasonOf("fd", "exit-before-link")).toContain("exited with code 5");
  });

  // A plugin on the socket that it inherited names no address.
  it("on quic, by sending the hub elsewhere: is reported", () => {
    expect(reasonOf("quic", "ready-elsewhere")).toContain("not a loopback address");
  });
});

describe.each(CARRIERS)("a plugin on %s that leaves", (link) => {
  const directory = mkdtempSync(join(tmpdir(), "orchestrator-crash-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  // While the file is away, no process of it gets further than its start.
  const gate = join(directory, "gate");
  writeFileSync(gate, "");
  const shared = sharedHub({
    plugins: [
      fixture("tools.bad", { TOOLS: "bad,wait", LINK: link, GATE: gate }),
      badOn(link, "ready-then-exit", { max_crashes: 2 }),
      badOn(link, "exit-mid-call"),
    ],
    restart: { delaysMs: [1] },
  });

  it("answers the calls in flight as unavailable, withdraws its routes and comes back", async () => {
    const hub = shared();
    const operator = await operatorPeer(hub);
    const names = async () => {
      const { response } = await request(operator, { $case: "listTools", value: {} });
      return response?.$case === "listTools" ? response.value.tools.map(({ name }) => name) : [];
    };
    const pending = call(operator, "wait");
    await expect.poll(() => log(hub, "tools.bad").includes("waiting")).toBe(true);
    rmSync(gate);
    process.kill(bad(hub).pid, "SIGKILL");
    const answer = await pending;
    expect(toolCall(answer)).toMatchObject({ success: false, errorCode: "routing_error" });
    expect(answer.error).toMatchObject({ code: 8, retryable: true });
    await bad(hub).reached("backoff", "starting");
    expect(await names()).not.toContain("bad");
    expect((await call(operator, "bad")).error).toMatchObject({ code: 8 });
    writeFileSync(gate, "");
    await bad(hub).reached("ready");
    expect(await names()).toContain("bad");
    expect(toolCall(await call(operator, "bad")).success).toBe(true);
    expect(bad(hub).starts).toBe(2);
  });

  it("right after READY, is restarted and then given up", async () => {
    const { supervised } = shared().hub.plugins[1]!;
    await supervised.reached("failed");
    expect(supervised.starts).toBe(3);
  });

  it("in the middle of a call, by its own exit", async () => {
    const answer = await call(await operatorPeer(shared()), toolOf(link, "exit-mid-call"));
    expect(toolCall(answer).errorCode).toBe("routing_error");
  });
});

describe("a plugin that lies, beside others that do not", () => {
  const LIES = ["wrong-member", "garbage", "seventeen-mebibytes", "wrong-id", "twice", "flood-stderr"];
  const hub = besideGood(
    CARRIERS.flatMap((link) => [
      ...LIES.map((behaviour) => badOn(link, behaviour)),
      fixture(
        idOf(link, "lying"),
        { BEHAVIOUR: "lying-manifest", TOOLS: "registered", LINK: link },
        { alias: { registered: `${link}_registered` } },
      ),
    ]),
  );
  const ask = async (link: Carrier, behaviour: string) =>
    toolCall(await call(await operatorPeer(hub()), toolOf(link, behaviour)));

  describe.each(CARRIERS)("on %s", (link) => {
    it.each([
      ["wrong-member", "invalid_response"],
      ["garbage", "invalid_response"],
      ["seventeen-mebibytes", "routing_error"],
    ])("%s: the caller gets a clear error", async (behaviour, code) => {
      expect(await ask(link, behaviour)).toMatchObject({ success: false, errorCode: code });
    });

    it("about the request id, is put right", async () => {
      const toolName = toolOf(link, "wrong-id");
      const value = { toolName, arguments: {}, callerPlugin: "", traceParent: "", provider: "", sessionId: "" };
      const { PluginRequest, PluginResponse: Response } = await import("@orchestrator/protocol");
      const bytes = PluginRequest.encode({
        requestId: "mine",
        request: { $case: "toolCall", value },
        context: undefined,
      }).finish();
      expect(Response.decode(await (await operatorPeer(hub())).call(bytes)).requestId).toBe("mine");
    });

    it("by answering twice, is heard once", async () => {
      for (let i = 0; i < 20; i += 1) expect((await ask(link, "twice")).result).toEqual({ text: "first" });
      expect(hub().hub.status().callsInFlight).toBe(0);
    });

    it("about its manifest, is refused: the certificate says who it is", async () => {
      const { result } = toolCall(await call(await operatorPeer(hub()), `${link}_registered`));
      expect(result?.["text"]).toContain('"accepted":false');
    });

    it("by filling its stderr, is read for ever", async () => {
      const lines = () => log(hub(), idOf(link, "flood-stderr"));
      await expect.poll(() => lines().includes("flood over")).toBe(true);
      expect((await ask(link, "flood-stderr")).success).toBe(true);
    });
  });
});

describe("a peer that may not come in", () => {
  const shared = besideGood([]);

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
    const hub = shared();
    expect(await refused(hub, { certs: `${hub.directory}/foreign` })).toMatchObject({ name: "HubError" });
    await expect.poll(() => log(hub, "hub").join()).toContain("Refused a peer");
  });

  it("has no certificate", async () => {
    const hub = shared();
    expect(await refused(hub, { anonymous: true })).toMatchObject({ name: "HubError" });
  });

  it("speaks another protocol", async () => {
    const hub = shared();
    expect(await refused(hub, { alpn: "h3" })).toMatchObject({ name: "HubError" });
  });

  it.each([
    ["a tool name of 9 MiB", { requestId: "1", toolName: "x".repeat(9 * 1024 * 1024) }],
    ["a request id that fills the message", { requestId: "y".repeat(16 * 1024 * 1024 - 100), toolName: "z" }],
  ])("sends %s: it is refused, and the hub lives", async (_name, { requestId, toolName }) => {
    const hub = shared();
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
    const hub = shared();
    expect(toolCall(await call(await hub.connect("transport.files-client"), "echo")).errorCode).toBe(
      "permission_denied",
    );
  });

  it("sends two names in one request", async () => {
    const hub = shared();
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
    await Promise.all(hub.hub.plugins.map((plugin) => plugin.supervised.reached("draining")));
    expect(states()).toEqual(["draining", "draining", "draining"]);
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
  const shared = sharedHub({ plugins: [fixture("tools.a")] });

  it("alone may control the hub", async () => {
    const hub = shared();
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
    const hub = shared();
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
