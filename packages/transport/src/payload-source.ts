import type { CallId, Link } from "./link.ts";

/**
 * A message that is not bytes yet: a carrier that has a buffer for what it sends lets it be written there, and nothing is copied
 * twice. Asked at once and never kept, so one object can serve one message after the other.
 */
export interface PayloadSource {
  /** Bytes of the message, exactly. */
  readonly length: number;
  /** Writes them, and does not throw. */
  writeTo(into: Uint8Array, at: number): void;
  /** The same as bytes one after the other, without copying what is long; nobody writes into them any more. */
  segments?(): Uint8Array[];
}

/** The message as bytes of its own. */
export function payloadOf(source: PayloadSource): Uint8Array {
  const bytes = new Uint8Array(source.length);
  source.writeTo(bytes, 0);
  return bytes;
}

/** As `Link.open`, whether or not the carrier has a way to take it from the source. */
export function openFrom(link: Link, source: PayloadSource, last: boolean): CallId {
  return link.openFrom === undefined ? link.open(payloadOf(source), last) : link.openFrom(source, last);
}
