import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeRequest,
  decodeResponse,
  ErrorCode,
  HubError,
  PluginRequest,
  PluginResponse,
  peekRequest,
  peekResponse,
  RequestStamp,
  replaceRequestId,
  type SpliceOptions,
  StampedRequest,
  spliceRequest,
} from "../src/index.ts";
import { twinOf } from "./arbitrary.ts";
import { damaged, factsByReflection, factsOfPeek, requestBytes, unusualRequestBytes } from "./requests.ts";
import { loadSchema, pairOf } from "./schema.ts";
import { spliceModel } from "./splice-model.ts";
import { concat, lengthDelimited, splitFields } from "./wire.ts";

const schema = loadSchema();
const request = pairOf(schema, "PluginRequest");
const response = pairOf(schema, "PluginResponse");
const responseBytes = twinOf(response.type, 3).map(({ generated }) =>
  PluginResponse.encode(PluginResponse.fromPartial(generated as object)).finish(),
);

/** What the action gives, or undefined when it refuses with `PROTOCOL`; any other error comes out. */
function unlessRefused<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof HubError && error.code === ErrorCode.Protocol) return undefined;
    throw error;
  }
}

function unlessThrown<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

describe("peekRequest", () => {
  it("sees what a decoder sees, in whatever order the fields come and whatever unknown ones stand between them", () => {
    fc.assert(
      fc.property(unusualRequestBytes(request), (bytes) => {
        expect(factsOfPeek(peekRequest(bytes))).toEqual(factsByReflection(request, bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it("of damaged bytes refuses, or sees what a decoder sees; it never crashes, hangs, or changes the bytes", () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(damaged(requestBytes(request)), (bytes) => {
        const copy = bytes.slice();
        const peek = unlessRefused(() => factsOfPeek(peekRequest(bytes)));
        expect(bytes).toEqual(copy);
        if (peek === undefined) {
          refused++;
          return;
        }
        accepted++;
        const decoded = unlessThrown(() => factsByReflection(request, bytes));
        if (decoded !== undefined) expect(peek).toEqual(decoded);
        const ours = unlessRefused(() => decodeRequest(bytes));
        if (ours !== undefined) expect(ours.requestId).toBe(peek.requestId);
      }),
      { numRuns: 4000 },
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(400);
  });

  it("takes any bytes without another error than PROTOCOL", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        unlessRefused(() => factsOfPeek(peekRequest(bytes)));
        unlessRefused(() => peekResponse(bytes).requestId);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("spliceRequest", () => {
  const name = fc.oneof(fc.string({ maxLength: 30 }), fc.string({ unit: "binary", maxLength: 70 }), fc.constant(""));
  const options: fc.Arbitrary<SpliceOptions> = fc.record({
    caller: name,
    context: fc.option(
      fc.record(
        {
          timeoutMs: fc.oneof(fc.nat({ max: 60_000 }), fc.nat({ max: 0xffffffff })),
          traceParent: name,
          acceptsCalls: fc.boolean(),
          wantsProgress: fc.boolean(),
        },
        { requiredKeys: ["timeoutMs"] },
      ),
      { nil: undefined },
    ),
    requestId: fc.option(name, { nil: undefined }),
    legacyTraceParent: fc.option(name, { nil: undefined }),
    subscriptionId: fc.option(name, { nil: undefined }),
    receivedAtMs: fc.option(fc.nat({ max: 4_102_444_800_000 }), { nil: undefined }),
    headroom: fc.option(fc.nat({ max: 16 }), { nil: undefined }),
  });

  it("changes what it is told to and keeps every other byte, unknown fields included", () => {
    fc.assert(
      fc.property(unusualRequestBytes(request), options, (bytes, changes) => {
        const copy = bytes.slice();
        const spliced = spliceRequest(bytes, peekRequest(bytes), changes);
        expect(bytes).toEqual(copy);
        expect(spliced).toEqual(spliceModel(bytes, changes));
        expect(spliced.byteOffset).toBe(changes.headroom ?? 0);
      }),
      { numRuns: 1500 },
    );
  });

  it("makes a request that decodes to the same with the intended changes, and whose peek says so", () => {
    fc.assert(
      fc.property(unusualRequestBytes(request), options, (bytes, changes) => {
        const before = factsByReflection(request, bytes);
        const spliced = spliceRequest(bytes, peekRequest(bytes), changes);
        const after = factsByReflection(request, spliced);
        const hasCaller = [20, 40, 52].includes(before.kind);
        const { context } = changes;
        expect(after).toEqual({
          ...before,
          requestId: changes.requestId ?? before.requestId,
          caller: hasCaller ? changes.caller : "",
          legacyTraceParent: before.kind === 20 ? (changes.legacyTraceParent ?? before.legacyTraceParent) : "",
          subscriptionId: before.kind === 52 ? (changes.subscriptionId ?? "") : before.subscriptionId,
          context:
            context === undefined
              ? [0, "", false, false]
              : [
                  context.timeoutMs,
                  context.traceParent ?? "",
                  context.acceptsCalls ?? false,
                  context.wantsProgress ?? false,
                ],
        });
        expect(factsOfPeek(peekRequest(spliced))).toEqual(after);
        expect(decodeRequest(spliced).context?.caller ?? "").toBe(context === undefined ? "" : changes.caller);
      }),
      { numRuns: 500 },
    );
  });

  it("is what a prepared stamp comes to, byte for byte", () => {
    const trace = fc.string({ unit: fc.constantFrom(..."0123456789abcdef-"), minLength: 55, maxLength: 55 });
    const stampOptions = fc.record({
      caller: name,
      timeoutMs: fc.oneof(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: 0xffffffff })),
      wantsProgress: fc.boolean(),
    });
    const stamped = new StampedRequest();
    fc.assert(
      fc.property(unusualRequestBytes(request), stampOptions, trace, fc.nat(40), (bytes, stampOf, traceParent, at) => {
        const peek = peekRequest(bytes);
        if (peek.kind === 0 || peek.kind === 52) return;
        const { caller, ...context } = stampOf;
        const stamp = new RequestStamp(peek.kind, stampOf);
        stamp.setTrace(Uint8Array.from(traceParent, (letter) => letter.charCodeAt(0)));
        stamped.set(bytes, peek, stamp);
        const into = new Uint8Array(at + stamped.length + 3).fill(0xee);
        stamped.writeTo(into, at);
        const wanted = spliceRequest(bytes, peek, {
          caller,
          context: { ...context, traceParent },
          legacyTraceParent: traceParent,
        });
        expect(into.subarray(at, at + stamped.length)).toEqual(wanted);
        expect(concat(stamped.segments())).toEqual(wanted);
        expect([...into.subarray(0, at), ...into.subarray(at + stamped.length)].every((byte) => byte === 0xee)).toBe(
          true,
        );
      }),
      { numRuns: 1500 },
    );
  });

  it("never writes outside of what it asked its allocator for", () => {
    fc.assert(
      fc.property(requestBytes(request), options, (bytes, changes) => {
        const arena = new Uint8Array(bytes.length + 2000).fill(0xa5);
        let asked = 0;
        const allocate = (length: number) => {
          asked = length;
          return arena.subarray(100, 100 + length);
        };
        const spliced = spliceRequest(bytes, peekRequest(bytes), { ...changes, allocate });
        expect(spliced).toEqual(spliceModel(bytes, changes));
        expect(arena.subarray(0, 100 + (changes.headroom ?? 0)).every((byte) => byte === 0xa5)).toBe(true);
        expect(arena.subarray(100 + asked).every((byte) => byte === 0xa5)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("peekResponse", () => {
  const flagged = ["toolCall", "storageWrite", "storageDelete", "streamEnd"];

  it("sees what a decoder sees, also with unknown fields around", () => {
    fc.assert(
      fc.property(responseBytes, fc.boolean(), (bytes, extra) => {
        const unknown = lengthDelimited(999, "later");
        const envelope = extra
          ? concat([
              unknown,
              ...splitFields(bytes)
                .map((field) => field.bytes)
                .reverse(),
            ])
          : bytes;
        const message = response.type.decode(envelope) as unknown as Record<string, unknown>;
        const member = message.response as string | undefined;
        const peek = peekResponse(envelope);
        expect(peek.kind).toBe(member === undefined ? 0 : response.type.fields[member]!.id);
        expect(peek.requestId).toBe(message.requestId);
        const flag = member !== undefined && flagged.includes(member);
        expect(peek.success).toBe(flag ? (message[member] as { success: boolean }).success : true);
        expect(peek.errorEnd > 0).toBe(message.error !== null && message.error !== undefined);
        expect(peek.errorCode).toBe((message.error as { code: number } | null)?.code ?? 0);
        if (member !== undefined) {
          const body = response.type.fields[member]!.resolvedType as unknown as typeof response.type;
          expect(envelope.slice(peek.bodyStart, peek.bodyEnd)).toEqual(
            splitFields(envelope).find((field) => field.number === peek.kind)!.value,
          );
          expect(() => body.decode(envelope.slice(peek.bodyStart, peek.bodyEnd))).not.toThrow();
        }
      }),
      { numRuns: 500 },
    );
  });

  it("of damaged bytes refuses, or sees what a decoder sees", () => {
    let accepted = 0;
    fc.assert(
      fc.property(damaged(responseBytes), (bytes) => {
        const peek = unlessRefused(() => peekResponse(bytes));
        if (peek === undefined) return;
        accepted++;
        const message = unlessThrown(() => response.type.decode(bytes)) as unknown as
          | Record<string, unknown>
          | undefined;
        if (message === undefined) return;
        const member = message.response as string | undefined;
        expect([peek.kind, peek.requestId]).toEqual([
          member === undefined ? 0 : response.type.fields[member]!.id,
          message.requestId,
        ]);
      }),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(200);
  });
});

describe("replaceRequestId", () => {
  it("changes the id and nothing else, in requests and in responses", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        responseBytes,
        unusualRequestBytes(request),
        (id, answer, question) => {
          const cases = [
            { bytes: answer, peek: peekResponse(answer) },
            { bytes: question, peek: peekRequest(question) },
          ];
          for (const { bytes, peek } of cases) {
            const rest = splitFields(bytes).filter((field) => field.number !== 1);
            const field = id === "" ? new Uint8Array(0) : lengthDelimited(1, id);
            expect(replaceRequestId(bytes, peek, id)).toEqual(concat([field, ...rest.map((part) => part.bytes)]));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("decodeRequest and decodeResponse", () => {
  it("give what the plain decoders give", () => {
    fc.assert(
      fc.property(unusualRequestBytes(request), responseBytes, (question, answer) => {
        expect(decodeRequest(question)).toEqual(PluginRequest.decode(question));
        expect(decodeResponse(answer)).toEqual(PluginResponse.decode(answer));
      }),
      { numRuns: 300 },
    );
  });
});
