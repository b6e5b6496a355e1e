import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ErrorCode, HubError } from "./errors.ts";
import { WireErrorCode } from "./messages.ts";
import { fromWireCode, fromWireError, toWireCode, toWireError } from "./wire-errors.ts";

/** Numbers by name, as the schema has them. */
const schema: ReadonlyMap<string, number> = new Map(
  Object.entries(WireErrorCode).filter(([name]) => name !== "UNRECOGNIZED" && name !== "ERROR_CODE_UNSPECIFIED"),
);

describe("error codes", () => {
  it("are those of the schema, both ways", () => {
    expect(
      Object.values(ErrorCode)
        .map((code) => `ERROR_CODE_${code}`)
        .sort(),
    ).toEqual([...schema.keys()].sort());
    for (const code of Object.values(ErrorCode)) {
      expect(toWireCode(code)).toBe(schema.get(`ERROR_CODE_${code}`));
      expect(fromWireCode(toWireCode(code))).toBe(code);
    }
  });

  it("that are not known are INTERNAL", () => {
    expect([0, -1, 999].map(fromWireCode)).toEqual([ErrorCode.Internal, ErrorCode.Internal, ErrorCode.Internal]);
  });

  it("stand in ERRORS.md, all of them and no others, with number, retry and meaning", () => {
    const text = readFileSync(new URL("../ERRORS.md", import.meta.url), "utf8");
    const rows = [...text.matchAll(/^\| `([A-Z_]+)` +\| (\d+) +\| (yes|no) +\| (.+) \|$/gm)];
    expect(rows.map(([, code, number]) => [`ERROR_CODE_${code}`, Number(number)])).toEqual([...schema]);
    for (const [, code, , retry, meaning] of rows) {
      expect(new HubError(code as ErrorCode, "").retryable).toBe(retry === "yes");
      expect(meaning!.length).toBeGreaterThan(10);
    }
  });
});

describe("toWireError and fromWireError", () => {
  it("carry code, message and whether to retry, and nothing of the cause", () => {
    const error = new HubError(ErrorCode.Unavailable, 'Cannot reach "x"', { cause: new Error("secret") });
    const wire = toWireError(error);
    expect(wire).toEqual({ code: WireErrorCode.ERROR_CODE_UNAVAILABLE, message: 'Cannot reach "x"', retryable: true });
    const back = fromWireError(wire);
    expect(back).toBeInstanceOf(HubError);
    expect([back.code, back.message, back.retryable]).toEqual([ErrorCode.Unavailable, 'Cannot reach "x"', true]);
  });

  it("give a message where the peer gave none", () => {
    expect(fromWireError({ code: 0, message: "", retryable: true })).toMatchObject({
      code: ErrorCode.Internal,
      message: "The peer gave no reason",
      retryable: false,
    });
  });
});
