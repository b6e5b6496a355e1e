import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SpanSource, spanIdOf, traceIdOf } from "./trace.ts";

const PARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;
const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);
const next = (spans: SpanSource, parent: string) => {
  const bytes = new TextEncoder().encode(`##${parent}##`);
  spans.next(bytes, 2, bytes.length - 2);
  return text(spans.traceParent);
};

describe("SpanSource", () => {
  it("keeps the trace of a caller, names its span as the parent, and gives a span of its own", () => {
    const spans = new SpanSource();
    const parent = `00-${"ab".repeat(16)}-${"12".repeat(8)}-00`;
    const made = next(spans, parent);
    expect(made).toMatch(/^00-(ab){16}-[0-9a-f]{16}-00$/);
    expect(spans.hasParent).toBe(true);
    expect(text(spans.parentSpan)).toBe("12".repeat(8));
    expect(spanIdOf(spans.traceParent)).not.toBe("12".repeat(8));
    expect(traceIdOf(spans.traceParent)).toBe("ab".repeat(16));
  });

  it("never uses an id twice", () => {
    const spans = new SpanSource();
    const seen = new Set(Array.from({ length: 5_000 }, () => next(spans, "")));
    expect(seen.size).toBe(5_000);
    expect(new Set([...seen].map((one) => one.slice(3, 35))).size).toBe(5_000);
    expect(new Set([...seen].map((one) => one.slice(36, 52))).size).toBe(5_000);
  });

  it("starts a new trace for everything that is none", () => {
    const hex = fc.string({ unit: fc.constantFrom(..."0123456789abcdefgA- "), maxLength: 70 });
    const near = fc
      .tuple(fc.string({ unit: fc.constantFrom(..."0019af"), minLength: 52, maxLength: 56 }), fc.nat(60))
      .map(([digits, cut]) =>
        `${digits.slice(0, 2)}-${digits.slice(2, 34)}-${digits.slice(34, 50)}-${digits.slice(50)}`.slice(0, cut || 60),
      );
    const spans = new SpanSource();
    fc.assert(
      fc.property(fc.oneof(hex, near), (parent) => {
        const made = next(spans, parent);
        expect(made).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
        const match = PARENT.exec(parent);
        const fits = match !== null && !/^0+$/.test(match[1]!) && !/^0+$/.test(match[2]!);
        expect(spans.hasParent).toBe(fits);
        if (fits) expect(made.slice(3, 35)).toBe(match[1]);
      }),
    );
  });
});
