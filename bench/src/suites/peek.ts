import { PluginRequest, PluginResponse, peekRequest, peekResponse } from "@orchestrator/protocol";
import { compare } from "../compare.ts";
import { ECHO_RESULT, TOOL_CALL } from "../envelope.ts";
import type { Suite } from "../suite.ts";

/** What the hub reads of a message to route it, beside a decoder. The names that it routes by are made in both. */
export const peekSuite: Suite = {
  name: "peek",
  run: async (context) =>
    compare(
      [
        {
          name: "peek/request-616B",
          peerName: "ts-proto decode",
          ours: () => void peekRequest(TOOL_CALL).route,
          peer: () => void PluginRequest.decode(TOOL_CALL),
        },
        {
          name: "peek/response-500B",
          peerName: "ts-proto decode",
          ours: () => void peekResponse(ECHO_RESULT).requestId,
          peer: () => void PluginResponse.decode(ECHO_RESULT),
        },
      ],
      context,
    ),
};
