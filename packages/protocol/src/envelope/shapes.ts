import { RequestKind, ResponseKind } from "../constants.ts";
import { WIRE_BYTES, WIRE_VARINT } from "./wire.ts";

/** What a peek does with a field of a request's member. */
export const Role = {
  /** Only checked: wire type, no second one. */
  Plain: 0,
  /** Also checked to be UTF-8. */
  Text: 1,
  Route: 2,
  Provider: 3,
  Caller: 4,
  TraceParent: 5,
  StreamId: 6,
  SubscriptionId: 7,
  Timestamp: 8,
} as const;

/**
 * A member's fields by number (all below 256): 0 for a number that is not known, else
 * `KNOWN | wire type | REPEATED? | role << ROLE_SHIFT`.
 */
export type Shape = Uint16Array;
export const KNOWN = 0x08;
export const REPEATED = 0x10;
export const ROLE_SHIFT = 5;

const text = KNOWN | WIRE_BYTES | (Role.Text << ROLE_SHIFT);
const bytes = KNOWN | WIRE_BYTES;
const repeated = KNOWN | WIRE_BYTES | REPEATED;
const varint = KNOWN | WIRE_VARINT;
const role = (value: number) => KNOWN | WIRE_BYTES | (value << ROLE_SHIFT);
const route = role(Role.Route);

/** The members whose fields a peek looks at. The others are forwarded or decoded as a whole. */
const SHAPES: Readonly<Record<number, Readonly<Record<number, number>>>> = {
  [RequestKind.ToolCall]: {
    1: route,
    2: bytes,
    3: role(Role.Caller),
    4: role(Role.TraceParent),
    5: role(Role.Provider),
    6: text,
  },
  [RequestKind.PromptGet]: { 1: route, 2: repeated },
  [RequestKind.StorageRead]: { 1: text, 2: route },
  [RequestKind.StorageWrite]: { 1: text, 2: bytes, 3: bytes, 4: varint, 5: route },
  [RequestKind.StorageDelete]: { 1: text, 2: route },
  [RequestKind.StorageList]: { 1: text, 2: text, 3: route },
  [RequestKind.StreamStart]: { 1: role(Role.StreamId), 2: route, 3: bytes, 4: role(Role.Caller) },
  [RequestKind.StreamCancel]: { 1: role(Role.StreamId) },
  [RequestKind.Subscribe]: { 1: role(Role.SubscriptionId), 2: route, 3: repeated },
  [RequestKind.Unsubscribe]: { 1: role(Role.SubscriptionId) },
  [RequestKind.Publish]: {
    1: route,
    2: text,
    3: bytes,
    4: role(Role.Caller),
    200: role(Role.SubscriptionId),
    201: role(Role.Timestamp),
  },
  [RequestKind.Http]: { 1: route, 2: text, 3: text, 4: repeated, 5: bytes },
};

/**
 * By kind: the shape to scan with, an empty one where the member is not looked into, undefined where there is no such
 * member.
 */
export const REQUEST_SHAPES: readonly (Shape | undefined)[] = table(Object.values(RequestKind));

/** Members of the response oneof: 1 where the number is one. */
export const RESPONSE_MEMBERS: Uint8Array = members(Object.values(ResponseKind));

/** Field number in the member that carries the verified caller, 0 where it has none. */
export function callerField(kind: number): number {
  if (kind === RequestKind.ToolCall) return 3;
  return kind === RequestKind.StreamStart || kind === RequestKind.Publish ? 4 : 0;
}

function table(kinds: readonly number[]): (Shape | undefined)[] {
  const shapes = new Array<Shape | undefined>(256).fill(undefined);
  for (const kind of kinds) {
    if (kind === RequestKind.None) continue;
    const shape = new Uint16Array(256);
    for (const [number, code] of Object.entries(SHAPES[kind] ?? {})) shape[Number(number)] = code;
    shapes[kind] = shape;
  }
  return shapes;
}

function members(kinds: readonly number[]): Uint8Array {
  const known = new Uint8Array(256);
  for (const kind of kinds) if (kind !== ResponseKind.None) known[kind] = 1;
  return known;
}
