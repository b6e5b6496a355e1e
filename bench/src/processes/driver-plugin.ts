/**
 * A plugin that calls: the hub hands a socket to its own plugins alone, so a caller over such a socket is one of them. Its tool
 * takes `{ tool, load, ms }`, puts that load on another plugin's tool through the hub and answers with the figures as JSON.
 */
import { PluginRequest, PluginResponse } from "@orchestrator/protocol";
import { bulkCall, TOOL_ARGUMENTS, toolCall } from "../envelope.ts";
import { runBenchPlugin } from "../links/plugin.ts";
import { pluginFlags } from "../links/plugin-flags.ts";
import { type Load, putLoad } from "../paths/load.ts";

const flags = pluginFlags();
const caller = await runBenchPlugin(
  {
    id: flags.get("id")!,
    tool: flags.get("tool")!,
    answer: (link, call, payload, { requestId }) => {
      const { request } = PluginRequest.decode(payload);
      const args = (request?.$case === "toolCall" ? request.value.arguments : {}) as Order;
      void drive(args)
        .catch(String)
        .then((text) => {
          const result = { success: true, result: { text }, errorCode: "", errorMessage: "" };
          const response = { requestId, response: { $case: "toolCall", value: result }, error: undefined } as const;
          link.send(call, PluginResponse.encode(response).finish(), true);
        });
    },
  },
  flags,
);

interface Order {
  readonly tool: string;
  readonly load: Load;
  readonly ms: number;
}

async function drive({ tool, load, ms }: Order): Promise<string> {
  const calls = {
    small: caller.starter(toolCall(tool, TOOL_ARGUMENTS)),
    bulk: caller.starter(load.includes("bulk") ? bulkCall(tool) : new Uint8Array(0)),
    failure: () => caller.failure,
  };
  return JSON.stringify(await putLoad(calls, load, ms));
}
