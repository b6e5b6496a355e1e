import {
  createSlabAllocator,
  PluginRequest,
  peekRequest,
  RequestKind,
  RequestStamp,
  StampedRequest,
  spliceRequest,
} from "@orchestrator/protocol";
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
    // As the hub does it: what it adds is prepared, and written where the carrier sends from.
    const stamp = new RequestStamp(RequestKind.ToolCall, { caller: CALLER, timeoutMs: 30_000, wantsProgress: false });
    const trace = new TextEncoder().encode(TRACE_PARENT);
    const request = new StampedRequest();
    const out = new Uint8Array(64 * 1024);
    let at = 0;
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
          name: "splice/616B-stamped",
          peerName,
          ours: () => {
            const peek = peekRequest(TOOL_CALL);
            stamp.setTrace(trace);
            request.set(TOOL_CALL, peek, stamp);
            if (at + request.length > out.length) at = 0;
            request.writeTo(out, at);
            at += request.length;
          },
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
