import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { encodeFrame, FrameReader, PluginRequest, PluginResponse } from "@orchestrator/protocol";
import { afterAll, describe, expect, it } from "vitest";
import type { StartTestHubOptions, TestHub } from "../src/testing/index.ts";
import { hubsOfTests, sharedHub } from "./hubs.ts";
import { onFd } from "./plugins.ts";

const startHub = hubsOfTests();
const directory = mkdtempSync(join(tmpdir(), "orchestrator-tcp-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function options(
  tcp: Record<string, unknown> = {},
  plugins = [onFd("tools.a", { TOOLS: "whoami,stream" })],
): StartTestHubOptions {
  const tokenFile = join(directory, "token");
  writeFileSync(tokenFile, "s3cret\n");
  chmodSync(tokenFile, 0o600);
  return {
    plugins,
    config: { tcp_addr: "localhost:0", tcp: { enabled: true, token_file: tokenFile, ...tcp } },
  };
}

/** One without a plugin. */
const start = (tcp: Record<string, unknown>) => startHub(options(tcp, []));

const port = (hub: TestHub) => Number(hub.hub.tcpAddress.split(":").at(-1));

const TOOL_CALL = PluginRequest.encode({
  requestId: "t1",
  request: {
    $case: "toolCall",
    value: { toolName: "whoami", arguments: {}, callerPlugin: "liar", traceParent: "", provider: "", sessionId: "" },
  },
  context: undefined,
}).finish();

/** Everything that comes back until the hub ends the connection, as frames. */
function exchange(socket: Socket, ...writes: readonly Uint8Array[]): Promise<PluginResponse[]> {
  return new Promise((resolve) => {
    const frames: PluginResponse[] = [];
    const reader = new FrameReader((payload) => frames.push(PluginResponse.decode(payload)));
    socket.on("data", (chunk: Buffer) => reader.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(frames));
    for (const bytes of writes) socket.write(bytes);
  });
}

describe("the TCP door", () => {
  const open = sharedHub(options());
  const openTls = sharedHub(options({ tls: true }));

  it("is shut unless the config opens it", async () => {
    const hub = await start({ enabled: false });
    expect(hub.hub.tcpAddress).toBe("");
  });

  it("answers one request after the token, then ends the connection", async () => {
    const hub = open();
    const [answer, ...more] = await exchange(
      connectTcp(port(hub), "127.0.0.1"),
      encodeFrame(Buffer.from("s3cret")),
      encodeFrame(TOOL_CALL),
      encodeFrame(TOOL_CALL),
    );
    expect(answer).toMatchObject({ requestId: "t1", response: { value: { result: { text: "tcp|tcp" } } } });
    expect(more).toEqual([]);
  });

  it("may be subscribed through, which outlives no connection: what is published next finds nobody, and harms nobody", async () => {
    const hub = open();
    const subscribe = PluginRequest.encode({
      requestId: "s1",
      request: { $case: "subscribe", value: { topic: "news", subscriptionId: "s", filters: {} } },
      context: undefined,
    }).finish();
    const publish = PluginRequest.encode({
      requestId: "p1",
      request: {
        $case: "publish",
        value: {
          topic: "news",
          eventType: "x",
          payload: {},
          sourcePlugin: "",
          subscriptionId: "",
          timestamp: undefined,
        },
      },
      context: undefined,
    }).finish();
    const ask = async (bytes: Uint8Array) => {
      const frames = [encodeFrame(Buffer.from("s3cret")), encodeFrame(bytes)];
      return (await exchange(connectTcp(port(hub), "127.0.0.1"), ...frames))[0];
    };
    expect((await ask(subscribe))?.requestId).toBe("s1");
    expect((await ask(publish))?.requestId).toBe("p1");
    expect(hub.hub.status()).toMatchObject({ eventsDelivered: 0 });
    expect(await ask(TOOL_CALL)).toMatchObject({ response: { value: { success: true } } });
  });

  it("takes token and request in any pieces", async () => {
    const hub = open();
    const bytes = Buffer.concat([encodeFrame(Buffer.from("s3cret")), encodeFrame(TOOL_CALL)]);
    const answers = await exchange(
      connectTcp(port(hub), "127.0.0.1"),
      ...[...bytes].map((byte) => Buffer.from([byte])),
    );
    expect(answers).toHaveLength(1);
  });

  it.each([
    ["no token", [encodeFrame(TOOL_CALL)]],
    ["a wrong token", [encodeFrame(Buffer.from("s3creT")), encodeFrame(TOOL_CALL)]],
    ["a huge first frame", [Buffer.from("01000000", "hex")]],
  ])("refuses %s without an answer", async (_name, writes) => {
    const hub = open();
    const refused = () =>
      hub.hub.log.tail(500, "hub").filter(({ text }) => text.startsWith("Refused a TCP connection")).length;
    const before = [refused(), hub.hub.status().callsTotal];
    expect(await exchange(connectTcp(port(hub), "127.0.0.1"), ...writes)).toEqual([]);
    expect([refused(), hub.hub.status().callsTotal]).toEqual([before[0]! + 1, before[1]]);
  });

  it("makes its own token where the file is missing, and refuses one that others can read", async () => {
    const tokenFile = join(directory, "made");
    const hub = await start({ token_file: tokenFile });
    const token = readFileSync(tokenFile, "utf8").trim();
    expect(token.length).toBeGreaterThan(40);
    const writes = [encodeFrame(Buffer.from(token)), encodeFrame(TOOL_CALL)];
    expect(await exchange(connectTcp(port(hub), "127.0.0.1"), ...writes)).toHaveLength(1);
    chmodSync(tokenFile, 0o644);
    await expect(start({ token_file: tokenFile })).rejects.toThrow("chmod 600");
  });

  it("says that streams need another carrier", async () => {
    const hub = open();
    const value = { streamId: "s", toolName: "stream", arguments: {}, callerPlugin: "" };
    const request = PluginRequest.encode({
      requestId: "r",
      request: { $case: "streamStart", value },
      context: undefined,
    });
    const [answer] = await exchange(
      connectTcp(port(hub), "127.0.0.1"),
      encodeFrame(Buffer.from("s3cret")),
      encodeFrame(request.finish()),
    );
    expect(answer?.response).toMatchObject({ $case: "streamEnd", value: { success: false } });
  });

  it("says so too to an operator that wants to follow the log", async () => {
    const hub = openTls();
    const tls = await hub.authority.leaf("orchestrator-operator");
    const options = { port: port(hub), host: "127.0.0.1", ca: tls.caPem, servername: "localhost" };
    const logs = async (follow: boolean) => {
      const command = { $case: "logs", value: { plugin: "", tail: 10, follow } } as const;
      const request = PluginRequest.encode({
        requestId: "r",
        request: { $case: "control", value: { command } },
        context: undefined,
      });
      const socket = connectTls({ ...options, cert: tls.certPem, key: tls.keyPem });
      return (await exchange(socket, encodeFrame(request.finish())))[0];
    };
    expect((await logs(true))?.error?.message).toContain("carries one answer");
    expect((await logs(false))?.response).toMatchObject({ value: { result: { $case: "logs" } } });
    await expect.poll(() => hub.hub.clientLinks).toBe(0);
  });

  it.each([
    ["never shakes hands", { tls: true }, []],
    ["sends half a token", {}, [Buffer.from("0000", "hex")]],
    ["sends half a request", {}, [encodeFrame(Buffer.from("s3cret")), Buffer.from("00ffffff00", "hex")]],
  ])("does not hold up the end of the hub for a client that %s", async (_what, tcp, writes) => {
    const hub = await start(tcp);
    const socket = connectTcp(port(hub), "127.0.0.1");
    await once(socket, "connect");
    const answers = exchange(socket, ...writes);
    const begunAt = performance.now();
    await hub.stop();
    // A client that is waited for would take 30 s.
    expect(performance.now() - begunAt).toBeLessThan(25_000);
    expect(await answers).toEqual([]);
  });

  it("takes a client certificate in place of the token, and knows its name", async () => {
    const hub = openTls();
    const tls = await hub.authority.leaf("orchestrator-gateway");
    const options = { port: port(hub), host: "127.0.0.1", ca: tls.caPem, servername: "localhost" };
    const socket = connectTls({ ...options, cert: tls.certPem, key: tls.keyPem });
    const [answer] = await exchange(socket, encodeFrame(TOOL_CALL));
    expect(answer?.response).toMatchObject({
      value: { result: { text: "orchestrator-gateway|orchestrator-gateway" } },
    });
    expect(await exchange(connectTls(options), encodeFrame(TOOL_CALL))).toEqual([]);
  });
});
