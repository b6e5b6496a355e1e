import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PluginRequest, PluginResponse, peekRequest, RequestKind, type RequestPeek } from "@orchestrator/protocol";
import { type CallId, type Link, type LinkHandler, LinkPeer, type TlsMaterial } from "@orchestrator/transport";
import { dialQuic, listenQuic } from "@orchestrator/transport-quic";
import { LinkCaller } from "./caller.ts";
import { openFdLink } from "./socket.ts";

export interface BenchPlugin {
  readonly id: string;
  readonly tool: string;
  /** Answers a call of its tool. */
  readonly answer: (link: Link, call: CallId, payload: Uint8Array, peek: RequestPeek) => void;
}

/**
 * Runs a plugin that is as thin as can be, so that what is measured is the hub: over the socket that the hub handed down, or with
 * `--carrier=quic` as plugins of other makers do.
 */
export async function runBenchPlugin(plugin: BenchPlugin, flags: ReadonlyMap<string, string>): Promise<LinkCaller> {
  const caller = new LinkCaller();
  if (flags.has("manifest")) {
    const { id, tool } = plugin;
    const manifest = { id, version: "1.0.0", language: "ts", provides_tools: [tool], needs_tools: ["*"] };
    process.stdout.write(`${JSON.stringify(manifest)}\n`);
    process.exit(0);
  }
  if (flags.get("carrier") === "quic") {
    const directory = flags.get("certs-dir")!;
    const listener = await listenQuic("localhost:0", { tls: material(directory, plugin.id) }, (link) =>
      serve(link, plugin, caller),
    );
    const tls = material(directory, `${plugin.id}-client`);
    await dialQuic(flags.get("orchestrator-addr")!, { tls }, new LinkPeer().accept);
    process.stderr.write(`READY ${listener.address}\n`);
  } else {
    openFdLink(3, "orchestrator", (link) => serve(link, plugin, caller));
  }
  return caller;
}

function serve(link: Link, plugin: BenchPlugin, caller: LinkCaller): LinkHandler {
  caller.accept(link);
  return {
    request: (call, payload) => {
      const peek = peekRequest(payload);
      if (peek.kind === RequestKind.ToolCall) plugin.answer(link, call, payload, peek);
      else link.send(call, lifecycle(payload, plugin), true);
    },
    message: (call, payload) => caller.message(call, payload),
    cancelled: (call, error) => caller.cancelled(call, error),
    drained: () => {},
    // Without its hub a plugin is of no use.
    closed: () => process.exit(0),
  };
}

function lifecycle(payload: Uint8Array, plugin: BenchPlugin): Uint8Array {
  const { requestId, request } = PluginRequest.decode(payload);
  const answer = (response: PluginResponse["response"]) =>
    PluginResponse.encode({ requestId, response, error: undefined }).finish();
  switch (request?.$case) {
    case "register":
      return answer({ $case: "register", value: { accepted: true, rejectReason: "" } });
    case "boot":
      return answer({ $case: "boot", value: { ready: true, error: "" } });
    case "listTools": {
      const tool = { name: plugin.tool, description: "", inputSchema: { type: "object" } };
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

/** A pair of a directory as the hub makes it. */
export function material(directory: string, name: string): TlsMaterial {
  const read = (file: string) => readFileSync(join(directory, file), "utf8");
  return { certPem: read(`${name}.crt`), keyPem: read(`${name}.key`), caPem: read("ca.crt") };
}
