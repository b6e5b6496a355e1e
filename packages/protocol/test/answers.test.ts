import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeAnswer,
  ErrorCode,
  encodeCall,
  encodeDocumentAnswer,
  HubError,
  PluginRequest,
  PluginResponse,
} from "../src/index.ts";
import { anyText, jsonObject } from "./json.ts";
import { known } from "./plain-message.ts";
import { damaged } from "./requests.ts";
import { concat, lengthDelimited, varint } from "./wire.ts";

const maybeObject = fc.option(jsonObject(anyText), { nil: undefined });
const version = fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat());

const toolAnswer = fc
  .record({ success: fc.boolean(), result: maybeObject, errorCode: anyText, errorMessage: anyText })
  .map((value) => ({ $case: "toolCall", value }) as const);
const document = fc
  .record({ content: fc.uint8Array({ maxLength: 300 }), metadata: maybeObject, version })
  .map((value) => ({ $case: "storageRead", value }) as const);
const other = fc.constantFrom(undefined, { $case: "storageDelete", value: { success: true } } as const);

const answers = fc
  .record({ requestId: anyText, response: fc.oneof(toolAnswer, document, other) })
  .map((answer) => PluginResponse.encode({ ...answer, error: undefined }).finish());

const context = fc.record({
  timeoutMs: fc.nat({ max: 0xffffffff }),
  traceParent: anyText,
  caller: anyText,
  acceptsCalls: fc.boolean(),
  wantsProgress: fc.boolean(),
});
const toolCall = fc
  .record({
    toolName: anyText,
    arguments: maybeObject,
    callerPlugin: anyText,
    traceParent: anyText,
    provider: anyText,
    sessionId: anyText,
  })
  .map((value) => ({ $case: "toolCall", value }) as const);
const storageRead = fc
  .record({ path: anyText, storageType: anyText })
  .map((value) => ({ $case: "storageRead", value }) as const);
const unlike = fc.constantFrom(undefined, { $case: "listTools", value: {} } as const);

describe("decodeAnswer", () => {
  it("reads what the generated codec reads", () => {
    fc.assert(
      fc.property(answers, (bytes) => {
        expect(known(decodeAnswer(bytes))).toEqual(known(PluginResponse.decode(bytes)));
      }),
      { numRuns: 300 },
    );
  });

  it("reads what the generated codec reads of damaged bytes, or refuses them", () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(damaged(answers), (bytes) => {
        let ours: PluginResponse;
        try {
          ours = decodeAnswer(bytes);
        } catch (error) {
          if (!(error instanceof HubError) || error.code !== ErrorCode.Protocol) throw error;
          refused++;
          return;
        }
        accepted++;
        expect(known(ours)).toEqual(known(PluginResponse.decode(bytes)));
      }),
      { numRuns: 600 },
    );
    expect(accepted).toBeGreaterThan(30);
    expect(refused).toBeGreaterThan(30);
  });

  it("takes fields in any order, the last of two, and steps over those that it does not know", () => {
    const unknown = concat([lengthDelimited(90, "x"), Uint8Array.of(...varint(91 * 8), 5)]);
    const fields = concat([
      Uint8Array.of(24, 7),
      unknown,
      lengthDelimited(2, lengthDelimited(1, lengthDelimited(1, "lost"))),
      lengthDelimited(1, "lost"),
      Uint8Array.of(24, 9),
      lengthDelimited(2, ""),
      lengthDelimited(1, "kept"),
    ]);
    const bytes = concat([lengthDelimited(30, fields), unknown, lengthDelimited(1, "id")]);
    const value = { content: new TextEncoder().encode("kept"), metadata: {}, version: 9 };
    expect(decodeAnswer(bytes)).toEqual({
      requestId: "id",
      response: { $case: "storageRead", value },
      error: undefined,
    });
    expect(known(decodeAnswer(bytes))).toEqual(known(PluginResponse.decode(bytes)));
  });

  it("keeps an error beside an answer", () => {
    const error = { code: 5, message: "no", retryable: true, details: {} };
    const answer = { requestId: "1", response: { $case: "toolCall", value: { success: false } }, error };
    const bytes = PluginResponse.encode(PluginResponse.fromPartial(answer as object)).finish();
    expect(decodeAnswer(bytes).error).toMatchObject({ message: "no" });
  });
});

it("encodeCall writes what the generated codec writes", () => {
  const maybeContext = fc.option(context, { nil: undefined });
  const request = fc.oneof(toolCall, storageRead, unlike);
  fc.assert(
    fc.property(anyText, request, maybeContext, (requestId, asked, given) => {
      const message = { requestId, request: asked, context: given };
      expect(Buffer.compare(encodeCall(message), PluginRequest.encode(message).finish())).toBe(0);
    }),
    { numRuns: 400 },
  );
});

it("encodeDocumentAnswer writes what the generated codec writes", () => {
  fc.assert(
    fc.property(anyText, document, (requestId, response) => {
      const theirs = PluginResponse.encode({ requestId, response, error: undefined }).finish();
      expect(Buffer.compare(encodeDocumentAnswer({ requestId, ...response.value }), theirs)).toBe(0);
    }),
    { numRuns: 300 },
  );
});
