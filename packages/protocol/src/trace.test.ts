import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createIdSource } from "./ids.ts";
import { formatTraceParent, parseTraceParent } from "./trace.ts";

const valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("parseTraceParent", () => {
  it("reads what the W3C example says", () => {
    expect(parseTraceParent(valid)).toEqual({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      flags: 1,
    });
  });

  it.each([
    ["nothing", ""],
    ["another version", valid.replace("00-", "01-")],
    ["version ff", valid.replace("00-", "ff-")],
    ["upper case", valid.toUpperCase()],
    ["a zero trace id", `00-${"0".repeat(32)}-b7ad6b7169203331-01`],
    ["a zero span id", `00-0af7651916cd43dd8448eb211c80319c-${"0".repeat(16)}-01`],
    ["more behind it", `${valid}-00`],
    ["a line break behind it", `${valid}\n`],
    ["too few digits", valid.slice(1)],
    ["other separators", valid.replaceAll("-", "_")],
  ])("refuses %s", (_, text) => {
    expect(parseTraceParent(text)).toBeUndefined();
  });

  it("reads back whatever is written", () => {
    const ids = createIdSource();
    fc.assert(
      fc.property(fc.nat({ max: 255 }), (flags) => {
        const trace = { traceId: ids.traceId(), spanId: ids.spanId(), flags };
        expect(parseTraceParent(formatTraceParent(trace))).toEqual(trace);
      }),
    );
    expect(formatTraceParent(parseTraceParent(valid)!)).toBe(valid);
  });
});
