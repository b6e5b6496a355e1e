import fc from "fast-check";
import { PluginRequest, type RequestPeek } from "../src/index.ts";
import { twinOf } from "./arbitrary.ts";
import type { Pair } from "./schema.ts";
import { concat, lengthDelimited, splitFields, varint } from "./wire.ts";

/** What a decoded request says about the things that a peek reports. */
export interface Facts {
  readonly kind: number;
  readonly requestId: string;
  readonly route: string;
  readonly provider: string;
  readonly caller: string;
  readonly streamId: string;
  readonly subscriptionId: string;
  readonly legacyTraceParent: string;
  readonly context: readonly unknown[];
}

export function factsOfPeek(peek: RequestPeek): Facts {
  const { kind, requestId, route, provider, streamId, subscriptionId, legacyTraceParent } = peek;
  const context = [peek.timeoutMs, peek.traceParent, peek.acceptsCalls, peek.wantsProgress];
  return {
    kind,
    requestId,
    route,
    provider,
    caller: peek.claimedCaller,
    streamId,
    subscriptionId,
    legacyTraceParent,
    context,
  };
}

/** The same, by the independent decoder. @throws whatever that throws */
export function factsByReflection(pair: Pair, bytes: Uint8Array): Facts {
  const message = pair.type.decode(bytes) as unknown as Record<string, unknown>;
  const member = message.request as string | undefined;
  const body = (member === undefined ? {} : message[member]) as Record<string, string>;
  const isTool = member === "toolCall";
  const context = (message.context ?? {}) as Record<string, unknown>;
  const storage = member?.startsWith("storage") === true ? body.storageType : undefined;
  return {
    kind: member === undefined ? 0 : pair.type.fields[member]!.id,
    requestId: message.requestId as string,
    route:
      storage ?? (member === "register" ? "" : (body.toolName ?? body.promptName ?? body.topic ?? body.route ?? "")),
    provider: isTool ? body.provider! : "",
    caller: body.callerPlugin ?? body.sourcePlugin ?? "",
    streamId: body.streamId ?? "",
    subscriptionId: body.subscriptionId ?? "",
    legacyTraceParent: isTool ? body.traceParent! : "",
    context: [
      context.timeoutMs ?? 0,
      context.traceParent ?? "",
      context.acceptsCalls ?? false,
      context.wantsProgress ?? false,
    ],
  };
}

/** Random requests of every kind as bytes, in the usual order of fields. */
export function requestBytes(pair: Pair): fc.Arbitrary<Uint8Array> {
  return twinOf(pair.type, 3).map(({ generated }) =>
    PluginRequest.encode(PluginRequest.fromPartial(generated as object)).finish(),
  );
}

/** Fields that nobody knows, of every wire type. */
const unknownField: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc
    .tuple(fc.integer({ min: 60, max: 190 }), fc.maxSafeNat())
    .map(([number, value]) => Uint8Array.of(...varint(number * 8), ...varint(value))),
  fc
    .tuple(fc.integer({ min: 300, max: 0x1fffffff }), fc.uint8Array({ maxLength: 200 }))
    .map(([number, value]) => lengthDelimited(number, value)),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((value) => Uint8Array.of(...varint(700 * 8 + 1), ...value)),
  fc.uint8Array({ minLength: 4, maxLength: 4 }).map((value) => Uint8Array.of(...varint(7 * 8 + 5), ...value)),
);
const unknownFields = fc.array(unknownField, { maxLength: 3 });

/** The same requests with their fields in any order, inside and outside of the member, and unknown fields among them. */
export function unusualRequestBytes(pair: Pair): fc.Arbitrary<Uint8Array> {
  return requestBytes(pair).chain((bytes) =>
    fc.tuple(unknownFields, unknownFields, fc.infiniteStream(fc.nat())).map(([outer, inner, random]) => {
      const parts = splitFields(bytes).map((field) => {
        if (field.number < 10 || field.number === 200) return field.bytes;
        const body = [...splitFields(field.value).map((part) => part.bytes), ...inner];
        return lengthDelimited(field.number, concat(shuffled(body, random)));
      });
      return concat(shuffled([...parts, ...outer], random));
    }),
  );
}

function shuffled<T>(items: readonly T[], random: Iterator<number>): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.next().value % left.length, 1)[0]!);
}

/** Bytes that were damaged at random: flipped, cut, repeated, put together from two. */
export function damaged(bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.oneof(
    fc.record({ op: fc.constant("set" as const), at: fc.nat(), value: fc.nat({ max: 255 }) }),
    fc.record({ op: fc.constant("add" as const), at: fc.nat(), value: fc.integer({ min: -2, max: 2 }) }),
    fc.record({ op: fc.constant("cut" as const), at: fc.nat(), value: fc.nat({ max: 8 }) }),
    fc.record({ op: fc.constant("insert" as const), at: fc.nat(), value: fc.nat({ max: 255 }) }),
    fc.record({ op: fc.constant("repeat" as const), at: fc.nat(), value: fc.nat({ max: 40 }) }),
  );
  return fc
    .tuple(bytes, bytes, fc.boolean(), fc.array(change, { maxLength: 4 }))
    .map(([first, second, both, changes]) => {
      const out = both ? [...first, ...second] : [...first];
      for (const { op, at, value } of changes) {
        if (out.length === 0) break;
        const index = at % out.length;
        if (op === "set") out[index] = value;
        else if (op === "add") out[index] = (out[index]! + value + 256) % 256;
        else if (op === "cut") out.splice(index, value);
        else if (op === "insert") out.splice(index, 0, value);
        else out.splice(index, 0, ...out.slice(index, index + value));
      }
      return Uint8Array.from(out);
    });
}
