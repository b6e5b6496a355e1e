import { describe, expect, it } from "vitest";
import { concat, hex, lengthDelimited } from "../../test/wire.ts";
import { ErrorCode, HubError } from "../errors.ts";
import { PluginRequest } from "../messages.ts";
import { decodeRequest, decodeResponse, decodeStrictly } from "./decode.ts";
import { peekRequest } from "./peek-request.ts";

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof HubError) return error.code;
    throw error;
  }
  return "accepted";
}

describe("decodeRequest", () => {
  it("decodes what is well-formed", () => {
    const bytes = concat([lengthDelimited(1, "r"), lengthDelimited(20, lengthDelimited(1, "echo"))]);
    expect(decodeRequest(bytes)).toEqual(PluginRequest.decode(bytes));
  });

  it("is not led to another tool by a length inside the arguments that reaches beyond them", () => {
    // The arguments hold one entry, and that an unknown field, which claims to be longer than the arguments are: it covers the
    // name that was authorised and ends inside of another unknown field, just before a second name.
    const allowed = lengthDelimited(1, "allow");
    const second = lengthDelimited(1, "forbidden");
    const hidden = lengthDelimited(150, second);
    const covered = allowed.length + hidden.length - second.length;
    const overrun = Uint8Array.of(0x0a, 3 + covered, 0x9a, 0x06, covered);
    const bytes = lengthDelimited(20, concat([lengthDelimited(2, overrun), allowed, hidden]));
    expect(peekRequest(bytes).route).toBe("allow");
    expect(codeOf(() => decodeRequest(bytes))).toBe(ErrorCode.Protocol);
  });

  it.each([
    ["arguments that are no message", lengthDelimited(20, lengthDelimited(2, hex("0a ff ff 03")))],
    ["a register that is cut off inside", lengthDelimited(10, hex("0a 05 61"))],
    ["a request that a peek refuses", concat([lengthDelimited(13, ""), lengthDelimited(13, "")])],
  ])("refuses %s", (_, bytes) => {
    expect(codeOf(() => decodeRequest(bytes))).toBe(ErrorCode.Protocol);
  });
});

describe("decodeResponse", () => {
  it.each([
    ["a result that is no message", lengthDelimited(20, lengthDelimited(2, hex("0a ff ff 03")))],
    ["two members", concat([lengthDelimited(13, ""), lengthDelimited(13, "")])],
  ])("refuses %s", (_, bytes) => {
    expect(codeOf(() => decodeResponse(bytes))).toBe(ErrorCode.Protocol);
  });

  it("decodes what is well-formed", () => {
    const bytes = concat([lengthDelimited(1, "r"), lengthDelimited(20, lengthDelimited(4, "no"))]);
    expect(decodeResponse(bytes)).toMatchObject({
      requestId: "r",
      response: { $case: "toolCall", value: { errorMessage: "no" } },
    });
  });
});

describe("decodeStrictly", () => {
  const get = (key: Uint8Array | string) => lengthDelimited(220, lengthDelimited(2, lengthDelimited(1, key)));

  it("takes text of any kind as it is, and refuses what is none", () => {
    for (const key of ["a", "\ufeffa", "\ufffd", "é".repeat(40), "\u{10ffff}"]) {
      expect(decodeStrictly(get(key)).request).toMatchObject({ value: { operation: { value: { key } } } });
    }
    for (const bytes of [[0xff], [0xfe], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x61, 0xe2, 0x82]]) {
      expect(codeOf(() => decodeStrictly(get(Uint8Array.from(bytes))))).toBe(ErrorCode.Protocol);
    }
  });
});
