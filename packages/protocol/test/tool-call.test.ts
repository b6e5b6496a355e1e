import fc from "fast-check";
import { expect, it } from "vitest";
import {
  decodeToolCall,
  ErrorCode,
  encodeToolResult,
  HubError,
  PluginRequest,
  PluginResponse,
  peekRequest,
  RequestKind,
} from "../src/index.ts";
import { anyText, jsonObject } from "./json.ts";
import { known } from "./plain-message.ts";
import { damaged, unusualRequestBytes } from "./requests.ts";
import { loadSchema, pairOf } from "./schema.ts";
import { lengthDelimited } from "./wire.ts";

const pair = pairOf(loadSchema(), "PluginRequest");
const toolCalls = unusualRequestBytes(pair).filter((bytes) => peekRequest(bytes).kind === RequestKind.ToolCall);

it("decodeToolCall reads what the generated codec reads, in whatever order the fields come", () => {
  fc.assert(
    fc.property(toolCalls, (bytes) => {
      expect(known(decodeToolCall(bytes, peekRequest(bytes)))).toEqual(known(PluginRequest.decode(bytes)));
    }),
    { numRuns: 100 },
  );
});

it("decodeToolCall of damaged bytes reads what the generated codec reads, or refuses", () => {
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(damaged(toolCalls), (bytes) => {
      let ours: PluginRequest;
      try {
        const peek = peekRequest(bytes);
        if (peek.kind !== RequestKind.ToolCall) return;
        ours = decodeToolCall(bytes, peek);
      } catch (error) {
        if (!(error instanceof HubError) || error.code !== ErrorCode.Protocol) throw error;
        refused++;
        return;
      }
      accepted++;
      expect(known(ours)).toEqual(known(PluginRequest.decode(bytes)));
    }),
    { numRuns: 400 },
  );
  expect(accepted).toBeGreaterThan(30);
  expect(refused).toBeGreaterThan(30);
});

it("decodeToolCall keeps absent arguments apart from empty ones", () => {
  const decode = (body: Uint8Array) => {
    const bytes = lengthDelimited(20, body);
    const { request } = decodeToolCall(bytes, peekRequest(bytes));
    return request?.$case === "toolCall" ? request.value.arguments : null;
  };
  expect(decode(new Uint8Array(0))).toBeUndefined();
  expect(decode(lengthDelimited(2, ""))).toEqual({});
});

it("encodeToolResult writes what the generated codec writes", () => {
  fc.assert(
    fc.property(anyText, jsonObject(anyText), fc.nat({ max: 20 }), (requestId, result, headroom) => {
      const value = { success: true, result, errorCode: "", errorMessage: "" };
      const response = { $case: "toolCall", value } as const;
      const theirs = PluginResponse.encode({ requestId, response, error: undefined }).finish();
      const ours = encodeToolResult({ requestId, result }, { headroom });
      expect(Buffer.compare(ours, theirs)).toBe(0);
      expect(ours.byteOffset).toBe(headroom);
    }),
    { numRuns: 300 },
  );
});
