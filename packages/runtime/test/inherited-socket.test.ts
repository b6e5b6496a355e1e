import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { PluginRequest, PluginResponse } from "@orchestrator/protocol";
import { LinkPeer } from "@orchestrator/transport";
import { SocketLink } from "@orchestrator/transport-socket";
import { describe, expect, it } from "vitest";
import { toolCall } from "./support/raw-peer.ts";

const greeter = fileURLToPath(new URL("fixtures/greeter.ts", import.meta.url));

/** Starts the fixture with a socket as descriptor 3, as the hub does. */
function startWithSocket(command: readonly string[]) {
  const [program = "", ...args] = command;
  const child = spawn(program, [...args, greeter, "--workspace=/w"], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    env: { ...process.env, ORCHESTRATOR_LINK: "fd:3" },
  });
  let stderr = "";
  child.stderr!.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const registered = Promise.withResolvers<PluginRequest>();
  const host = new LinkPeer((call) => {
    const request = PluginRequest.decode(call.payload);
    const answer = (response: PluginResponse["response"]) => {
      call.reply(PluginResponse.encode({ requestId: request.requestId, response, error: undefined }).finish());
    };
    if (request.request?.$case === "register") {
      registered.resolve(request);
      answer({ $case: "register", value: { accepted: true, rejectReason: "" } });
    } else {
      answer({
        $case: "toolCall",
        value: { success: true, result: { text: "pong" }, errorCode: "", errorMessage: "" },
      });
    }
  });
  const socket = child.stdio[3] as Duplex;
  const options = { carrier: "fd", peer: "test.greeter", remoteAddress: "fd:3", isConnector: false } as const;
  const link = new SocketLink(socket, options, host.accept);
  const ask = async (request: PluginRequest["request"]) => {
    const bytes = PluginRequest.encode({ requestId: "1", request, context: undefined }).finish();
    return PluginResponse.decode(await host.call(bytes)).response?.value;
  };
  return { link, registered: registered.promise, ask, exited: once(child, "exit"), stderr: () => stderr };
}

describe("a plugin with an inherited socket", () => {
  it("registers, serves and calls back over it, and prints no READY", async () => {
    const plugin = startWithSocket([process.execPath]);
    expect((await plugin.registered).request?.value).toMatchObject({ id: "test.greeter" });
    expect(await plugin.ask({ $case: "boot", value: { config: { mood: "good" } } })).toMatchObject({ ready: true });
    expect(await plugin.ask(toolCall("greet", { name: "Ada" }))).toMatchObject({ result: { text: "Hello Ada" } });
    expect(await plugin.ask(toolCall("relay", { tool: "ping" }))).toMatchObject({ result: { text: "pong" } });
    expect(plugin.stderr()).not.toContain("READY");
    expect(await plugin.ask({ $case: "shutdown", value: { timeoutSeconds: 1 } })).toMatchObject({ clean: true });
    expect(await plugin.exited).toEqual([0, null]);
  });

  it("ends with the socket: the hub is gone", async () => {
    const plugin = startWithSocket([process.execPath]);
    await plugin.registered;
    await plugin.link.close(0);
    expect(await plugin.exited).toEqual([0, null]);
  });
});
