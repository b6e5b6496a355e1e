/** The smallest plugin there is: answers every tool call with the same bytes under the caller's request id. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PluginRequest, PluginResponse, peekRequest, RequestKind } from "@orchestrator/protocol";
import type { Link, LinkHandler } from "@orchestrator/transport";
import { LinkPeer } from "@orchestrator/transport";
import { dialQuic, listenQuic } from "@orchestrator/transport-quic";
import { ECHO_RESULT } from "../envelope.ts";

const flags = new Map(process.argv.slice(2).map((arg) => arg.slice(2).split(/=(.*)/s) as [string, string]));
const ID = "bench.echo";
const manifest = { id: ID, version: "1.0.0", language: "ts", provides_tools: ["get_feature"] };
if (flags.has("manifest")) {
  process.stdout.write(`${JSON.stringify(manifest)}\n`);
  process.exit(0);
}
const certs = flags.get("certs-dir")!;
const read = (name: string) => readFileSync(join(certs, name), "utf8");
const pair = (name: string) => ({ certPem: read(`${name}.crt`), keyPem: read(`${name}.key`), caPem: read("ca.crt") });

function lifecycle(payload: Uint8Array): Uint8Array {
  const { requestId, request } = PluginRequest.decode(payload);
  const answer = (response: PluginResponse["response"]) =>
    PluginResponse.encode({ requestId, response, error: undefined }).finish();
  switch (request?.$case) {
    case "register":
      return answer({ $case: "register", value: { accepted: true, rejectReason: "" } });
    case "boot":
      return answer({ $case: "boot", value: { ready: true, error: "" } });
    case "listTools": {
      const tool = { name: "get_feature", description: "", inputSchema: { type: "object" } };
      const extra = { streaming: false, outputSchema: undefined, title: "", annotations: undefined };
      return answer({ $case: "listTools", value: { tools: [{ ...tool, ...extra }] } });
    }
    case "listPrompts":
      return answer({ $case: "listPrompts", value: { prompts: [] } });
    case "shutdown":
      setTimeout(() => process.exit(0), 10);
      return answer({ $case: "shutdown", value: { clean: true } });
    default:
      return answer(undefined);
  }
}

function serve(link: Link): LinkHandler {
  return {
    request: (call, payload) => {
      const peek = peekRequest(payload);
      if (peek.kind !== RequestKind.ToolCall) {
        link.send(call, lifecycle(payload), true);
        return;
      }
      link.send(
        call,
        Buffer.concat([Buffer.from([10, peek.requestId.length]), Buffer.from(peek.requestId), ECHO_RESULT]),
        true,
      );
    },
    message: () => {},
    cancelled: () => {},
    drained: () => {},
    closed: () => {},
  };
}

const listener = await listenQuic("localhost:0", { tls: pair(ID) }, serve);
await dialQuic(flags.get("orchestrator-addr")!, { tls: pair(`${ID}-client`) }, new LinkPeer().accept);
process.stderr.write(`READY ${listener.address}\n`);
