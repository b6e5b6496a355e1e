import { createSlabAllocator, PluginRequest, peekRequest, spliceRequest } from "@orchestrator/protocol";
import { compare } from "../compare.ts";
import { TOOL_CALL } from "../envelope.ts";
import type { Suite } from "../suite.ts";

const CALLER = "transport.stdio";
const TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const CONTEXT = { timeoutMs: 30_000, traceParent: TRACE_PARENT };

/** What the hub does with a request on its way, beside a hub that decodes, changes and encodes. */
export const spliceSuite: Suite = {
  name: "splice",
  run: async (context) => {
    const slab = { caller: CALLER, context: CONTEXT, allocate: createSlabAllocator() };
    const pool = { caller: CALLER, context: CONTEXT, allocate: Buffer.allocUnsafe };
    const peer = () => {
      const message = PluginRequest.decode(TOOL_CALL);
      if (message.request?.$case === "toolCall") message.request.value.callerPlugin = CALLER;
      const more = { caller: CALLER, acceptsCalls: false, wantsProgress: false };
      message.context = { ...CONTEXT, ...more };
      PluginRequest.encode(message).finish();
    };
    const peerName = "ts-proto decode+encode";
    return compare(
      [
        {
          name: "splice/616B",
          peerName,
          ours: () => void spliceRequest(TOOL_CALL, peekRequest(TOOL_CALL), slab),
          peer,
        },
        {
          name: "splice/616B-buffer-pool",
          peerName,
          ours: () => void spliceRequest(TOOL_CALL, peekRequest(TOOL_CALL), pool),
          peer,
        },
      ],
      context,
    );
  },
};
