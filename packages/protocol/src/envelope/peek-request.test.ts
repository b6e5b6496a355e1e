import { describe, expect, it } from "vitest";
import { concat, hex, lengthDelimited, varintField } from "../../test/wire.ts";
import { ErrorCode, HubError } from "../errors.ts";
import { PluginRequest } from "../messages.ts";
import { peekRequest } from "./peek-request.ts";
import { peekResponse } from "./peek-response.ts";

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(HubError);
    expect((error as HubError).code).toBe(ErrorCode.Protocol);
    return (error as HubError).message;
  }
  return "accepted";
}

const id = lengthDelimited(1, "r1");
const tool = (...fields: Uint8Array[]) => lengthDelimited(20, concat(fields));
const name = lengthDelimited(1, "echo");

describe("peekRequest", () => {
  it("reads what a tool call asks for, and where its parts are", () => {
    const caller = lengthDelimited(3, "liar");
    const bytes = concat([
      id,
      tool(name, caller, lengthDelimited(5, "claude"), lengthDelimited(4, "trace")),
      lengthDelimited(200, concat([varintField(1, 1500), lengthDelimited(2, "parent"), varintField(4, 1)])),
    ]);
    const peek = peekRequest(bytes);
    expect(peek).toMatchObject({ kind: 20, route: "echo", provider: "claude", timeoutMs: 1500 });
    expect([peek.acceptsCalls, peek.wantsProgress]).toEqual([true, false]);
    expect([peek.requestId, peek.claimedCaller, peek.legacyTraceParent, peek.traceParent]).toEqual([
      "r1",
      "liar",
      "trace",
      "parent",
    ]);
    expect(bytes.slice(peek.requestIdStart, peek.requestIdEnd)).toEqual(id);
    expect(bytes.slice(peek.callerStart, peek.callerEnd)).toEqual(caller);
    expect(bytes.slice(peek.memberStart, peek.bodyEnd)).toEqual(bytes.slice(4, peek.contextStart));
    expect(peek.contextEnd).toBe(bytes.length);
  });

  it("finds the route of every kind that has one", () => {
    const kinds: [number, number, string][] = [
      [20, 1, "route"],
      [23, 1, "route"],
      [30, 2, "route"],
      [31, 5, "route"],
      [32, 2, "route"],
      [33, 3, "route"],
      [40, 2, "route"],
      [40, 1, "streamId"],
      [41, 1, "streamId"],
      [50, 2, "route"],
      [50, 1, "subscriptionId"],
      [51, 1, "subscriptionId"],
      [52, 1, "route"],
    ];
    for (const [kind, field, property] of kinds) {
      const peek = peekRequest(lengthDelimited(kind, lengthDelimited(field, "x")));
      expect(peek).toMatchObject({ kind, [property]: "x" });
    }
  });

  it("takes an empty message, an empty id and a member that nobody knows yet", () => {
    expect(peekRequest(new Uint8Array(0))).toMatchObject({ kind: 0, requestId: "", route: "" });
    expect(peekRequest(lengthDelimited(1, ""))).toMatchObject({ kind: 0, requestId: "" });
    expect(peekRequest(concat([id, lengthDelimited(60, "later")]))).toMatchObject({ kind: 0, requestId: "r1" });
  });

  it("reads bytes that are a part of a larger buffer", () => {
    const bytes = concat([id, tool(name)]);
    const larger = concat([Uint8Array.of(255, 255, 255), bytes, Uint8Array.of(255)]);
    expect(peekRequest(larger.subarray(3, 3 + bytes.length))).toMatchObject({ requestId: "r1", route: "echo" });
  });

  it("reads names that are not ASCII, long ones, and ones that start with U+FEFF", () => {
    for (const text of [
      "größe",
      "名前",
      "😀".repeat(30),
      "\ufeffecho",
      "a".repeat(16),
      "a".repeat(17),
      "a".repeat(5000),
    ]) {
      const bytes = concat([lengthDelimited(1, text), tool(lengthDelimited(1, text))]);
      expect(peekRequest(bytes)).toMatchObject({ requestId: text, route: text });
      expect(PluginRequest.decode(bytes)).toMatchObject({ requestId: text, request: { value: { toolName: text } } });
    }
  });

  it("steps over arguments without looking at them, whatever they are", () => {
    expect(peekRequest(tool(lengthDelimited(2, hex("ff ff ff")), name)).route).toBe("echo");
  });

  const notUtf8 = hex("c3 28");
  it.each<[string, Uint8Array, string]>([
    ["a second request id", concat([id, id]), 'a second "request_id"'],
    ["a second id after the member", concat([id, tool(name), id]), 'a second "request_id"'],
    ["a second empty id", concat([lengthDelimited(1, ""), lengthDelimited(1, "x")]), 'a second "request_id"'],
    ["the same member twice", concat([tool(name), tool(name)]), "a second request member"],
    ["two members", concat([lengthDelimited(13, ""), tool(name)]), "a second request member"],
    ["a second context", concat([lengthDelimited(200, ""), lengthDelimited(200, "")]), 'a second "context"'],
    ["a second tool name", tool(name, lengthDelimited(1, "other")), 'a second "20.1"'],
    ["a second tool name after an empty one", tool(lengthDelimited(1, ""), name), 'a second "20.1"'],
    ["second arguments", tool(lengthDelimited(2, ""), lengthDelimited(2, "")), 'a second "20.2"'],
    ["a second caller", tool(lengthDelimited(3, "a"), lengthDelimited(3, "b")), 'a second "20.3"'],
    ["a second provider", tool(lengthDelimited(5, "a"), lengthDelimited(5, "b")), 'a second "20.5"'],
    [
      "a second storage type",
      lengthDelimited(30, concat([lengthDelimited(2, "a"), lengthDelimited(2, "b")])),
      '"30.2"',
    ],
    ["a second version", lengthDelimited(31, concat([varintField(4, 1), varintField(4, 2)])), '"31.4"'],
    ["a second stream id", lengthDelimited(41, concat([lengthDelimited(1, "a"), lengthDelimited(1, "b")])), '"41.1"'],
    [
      "a second subscription id in an event",
      lengthDelimited(52, concat([lengthDelimited(200, "a"), lengthDelimited(200, "b")])),
      '"52.200"',
    ],
    [
      "a second time in an event",
      lengthDelimited(52, concat([lengthDelimited(201, ""), lengthDelimited(201, "")])),
      '"52.201"',
    ],
    ["a second timeout", lengthDelimited(200, concat([varintField(1, 1), varintField(1, 2)])), 'a second "context.1"'],
    ["a request id that is a number", varintField(1, 5), "wrong wire type on field 1"],
    ["a member that is a number", varintField(20, 5), "wrong wire type on field 20"],
    ["a context that is a number", varintField(200, 5), "wrong wire type on field 200"],
    ["a tool name that is a number", tool(varintField(1, 5)), "wrong wire type on field 1"],
    ["a version that is a text", lengthDelimited(31, lengthDelimited(4, "x")), "wrong wire type on field 4"],
    ["a timeout that is a text", lengthDelimited(200, lengthDelimited(1, "x")), "wrong wire type on field 1"],
    ["field number 0", hex("02 00"), "field number 0"],
    ["field number 0 in the member", tool(hex("00 00")), "field number 0"],
    ["field number 0 in the context", lengthDelimited(200, hex("02 00")), "field number 0"],
    ["a group", hex("4b 4c"), "wire type 3"],
    ["the end of a group", hex("4c"), "wire type 4"],
    ["wire type 6", hex("4e 00"), "wire type 6"],
    ["wire type 7", hex("4f 00"), "wire type 7"],
    ["a group in the member", tool(hex("4b 4c")), "wire type 3"],
    ["a tag that is cut off", hex("a2"), "varint is cut off"],
    ["a tag in more bytes than it needs", hex("8a 00 02 72 31"), "varint is longer"],
    ["a tag above 32 bits", hex("82 80 80 80 10 00"), "varint does not fit 32 bits"],
    ["a tag in six bytes", hex("82 80 80 80 80 01 00"), "varint does not fit 32 bits"],
    ["no length", hex("0a"), "varint is cut off"],
    ["a length in more bytes than it needs", hex("0a 82 00 72 31"), "varint is longer"],
    ["a length above 32 bits", hex("0a ff ff ff ff 7f"), "varint does not fit 32 bits"],
    ["a length of 4 GiB", hex("0a ff ff ff ff 0f"), "length reaches beyond"],
    ["a length one too long", hex("0a 03 72 31"), "length reaches beyond"],
    ["a member one too long", hex("a2 01 02 0a"), "length reaches beyond"],
    ["a tool name that reaches out of its member", concat([hex("a2 01 02 0a 04"), id]), "length reaches beyond"],
    ["a context field that reaches out of it", concat([hex("c2 0c 02 12 04"), id]), "length reaches beyond"],
    ["an unknown value that is cut off", hex("49 00 00 00"), "value is cut off"],
    ["an unknown value that lacks one byte", hex("4d 00 00 00"), "value is cut off"],
    ["an unknown value that reaches out of its member", concat([tool(hex("4d 00 00 00")), id]), "value is cut off"],
    ["an unknown number of 65 bits", hex("48 ff ff ff ff ff ff ff ff ff 02"), "varint does not fit 64 bits"],
    ["an unknown number of eleven bytes", hex("48 80 80 80 80 80 80 80 80 80 80 01"), "varint does not fit 64 bits"],
    ["an unknown number in more bytes than it needs", hex("48 81 00"), "varint is longer"],
    ["a timeout above 32 bits", lengthDelimited(200, hex("08 80 80 80 80 10")), "varint does not fit 32 bits"],
    ["a bool of 2", lengthDelimited(200, hex("20 02")), "bool is neither 0 nor 1"],
    ["a bool that is cut off", lengthDelimited(200, hex("20")), "bool is neither 0 nor 1"],
    ["an id that is not UTF-8", lengthDelimited(1, notUtf8), "not UTF-8"],
    ["a tool name that is not UTF-8", tool(lengthDelimited(1, notUtf8)), "not UTF-8"],
    ["a tool name with a surrogate in it", tool(lengthDelimited(1, hex("ed a0 80"))), "not UTF-8"],
    ["a tool name in overlong UTF-8", tool(lengthDelimited(1, hex("c1 a1"))), "not UTF-8"],
    ["a caller that is not UTF-8", tool(lengthDelimited(3, notUtf8)), "not UTF-8"],
    ["a session that is not UTF-8", tool(lengthDelimited(6, notUtf8)), "not UTF-8"],
    ["a trace that is not UTF-8", lengthDelimited(200, lengthDelimited(2, notUtf8)), "not UTF-8"],
  ])("refuses %s", (_, bytes, reason) => {
    expect(refusal(() => peekRequest(bytes))).toContain(reason);
  });

  it("takes the largest numbers that fit", () => {
    expect(peekRequest(hex("48 ff ff ff ff ff ff ff ff ff 01")).kind).toBe(0);
    expect(peekRequest(lengthDelimited(200, hex("08 ff ff ff ff 0f"))).timeoutMs).toBe(0xffffffff);
    expect(peekRequest(hex("f8 ff ff ff 0f 00")).kind).toBe(0);
  });

  it("takes repeated fields any number of times", () => {
    const entry = lengthDelimited(3, concat([lengthDelimited(1, "k"), lengthDelimited(2, "v")]));
    expect(peekRequest(lengthDelimited(50, concat([entry, lengthDelimited(2, "t"), entry]))).route).toBe("t");
    expect(peekRequest(lengthDelimited(23, concat([lengthDelimited(2, ""), lengthDelimited(2, "")]))).kind).toBe(23);
    expect(peekRequest(concat([varintField(99, 1), varintField(99, 2)])).kind).toBe(0);
  });
});

describe("peekResponse", () => {
  it("reads the flag that says whether it worked, and the error", () => {
    const error = lengthDelimited(200, concat([varintField(1, 8), lengthDelimited(2, "gone")]));
    const failed = concat([id, lengthDelimited(20, lengthDelimited(3, "x")), error]);
    expect(peekResponse(failed)).toMatchObject({ kind: 20, requestId: "r1", success: false, errorCode: 8 });
    const worked = concat([lengthDelimited(20, varintField(1, 1)), id]);
    expect(peekResponse(worked)).toMatchObject({ kind: 20, requestId: "r1", success: true, errorCode: 0, errorEnd: 0 });
    expect(peekResponse(lengthDelimited(41, varintField(2, 1))).success).toBe(true);
    expect(peekResponse(lengthDelimited(41, varintField(5, 1))).success).toBe(false);
    expect(peekResponse(lengthDelimited(31, "")).success).toBe(false);
    expect(peekResponse(lengthDelimited(30, "")).success).toBe(true);
    expect(peekResponse(id)).toMatchObject({ kind: 0, success: true });
  });

  it.each<[string, Uint8Array, string]>([
    ["a second id", concat([id, id]), 'a second "request_id"'],
    ["a second member", concat([lengthDelimited(13, ""), lengthDelimited(20, "")]), "a second response member"],
    ["a second error", concat([lengthDelimited(200, ""), lengthDelimited(200, "")]), 'a second "error"'],
    ["a second success", lengthDelimited(20, concat([varintField(1, 0), varintField(1, 1)])), "a second field 1"],
    ["a success that is a text", lengthDelimited(20, lengthDelimited(1, "x")), "wrong wire type on field 1"],
    ["a success of 2", lengthDelimited(20, varintField(1, 2)), "bool is neither 0 nor 1"],
    ["a member that is a number", varintField(20, 1), "wrong wire type on field 20"],
    ["field number 0", hex("02 00"), "field number 0"],
    ["field number 0 in the member", lengthDelimited(20, hex("00 00")), "field number 0"],
    ["a length that reaches too far", hex("a2 01 05 00"), "length reaches beyond"],
    ["an id that is not UTF-8", lengthDelimited(1, hex("ff")), "not UTF-8"],
  ])("refuses %s", (_, bytes, reason) => {
    expect(refusal(() => peekResponse(bytes))).toContain(reason);
  });
});
