import { PluginResponse } from "@orchestrator/protocol";
import { dialQuic } from "@orchestrator/transport-quic";
import type { Child, Children } from "../children.ts";
import { bulkCall, TOOL_ARGUMENTS, toolCall } from "../envelope.ts";
import { LinkCaller } from "../links/caller.ts";
import { material } from "../links/plugin.ts";
import { dialSocket } from "../links/socket.ts";
import type { Load, LoadResult } from "./load.ts";
import { localPath, type Path } from "./path.ts";

const FD_TOOL = "echo_via_fd";
const QUIC_TOOL = "echo_quic_x";

/** One hub, and every pair of carriers through it that is measured. */
export async function ourPaths(children: Children): Promise<{ readonly hub: Child; readonly paths: readonly Path[] }> {
  const hub = await children.start("hub.ts");
  const { address, socketAddress, certs } = JSON.parse(hub.line) as Record<string, string>;
  const tls = material(certs!, "orchestrator-gateway");
  const quic = new LinkCaller();
  const socket = new LinkCaller();
  await dialQuic(address!, { tls }, quic.accept);
  await dialSocket(socketAddress!, { tls }, socket.accept);
  const path = (name: string, caller: LinkCaller, tool: string) =>
    localPath(
      name,
      {
        small: caller.starter(toolCall(tool, TOOL_ARGUMENTS)),
        bulk: caller.starter(bulkCall(tool)),
        failure: () => caller.failure,
      },
      hub,
      () => caller.link.close(0),
    );
  return {
    hub,
    paths: [
      drivenPath("fd-hub-fd", socket, FD_TOOL, hub),
      path("unix-hub-fd", socket, FD_TOOL),
      path("quic-hub-fd", quic, FD_TOOL),
      path("quic-hub-quic", quic, QUIC_TOOL),
    ],
  };
}

/** The caller is a plugin, which is told over another link what to do. */
function drivenPath(name: string, control: LinkCaller, tool: string, hub: Child): Path {
  return {
    name,
    put: async (load: Load, ms: number) => {
      const answer = await control.call(toolCall("drive", { tool, load, ms }));
      const { response } = PluginResponse.decode(answer);
      if (response?.$case !== "toolCall" || !response.value.success)
        throw new Error(`The caller failed: ${JSON.stringify(response)}`);
      return JSON.parse(String((response.value.result as { text: string }).text)) as LoadResult;
    },
    cpuUs: async () => Number(await hub.ask("cpu")),
    close: async () => {},
  };
}
