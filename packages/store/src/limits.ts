import { ErrorCode, HubError } from "@orchestrator/protocol";

/** Keys are names, not contents: long enough for a path or a URL. */
export const MAX_KEY_BYTES = 1_024;
/** A value travels in one message beside others, and a message holds 16 MiB. */
export const MAX_VALUE_BYTES = 1_024 * 1_024;
/** Entries of one page of a list. */
export const MAX_LIST_ENTRIES = 1_000;
export const DEFAULT_LIST_ENTRIES = 100;
/** A page ends early rather than grow past this, so that it fits into a message and blocks nobody for long. */
export const MAX_PAGE_BYTES = 4 * 1_024 * 1_024;
/** Ids of plugins are at most 100 characters; names from elsewhere get some room. */
const MAX_NAMESPACE_BYTES = 255;
/** 100 years: what is meant to stay longer has no time to live. */
const MAX_TTL_MS = 100 * 365 * 86_400_000;

/** How much one namespace may hold. */
export interface Quota {
  /** Bytes of keys and values together. */
  readonly maxBytes: number;
  readonly maxEntries: number;
}

export const DEFAULT_QUOTA: Quota = { maxBytes: 64 * 1_024 * 1_024, maxEntries: 100_000 };

/** @returns the length of the key in bytes @throws {HubError} `INVALID_ARGUMENT` */
export function checkKey(key: string): number {
  if (key === "") throw new HubError(ErrorCode.InvalidArgument, "A key must not be empty");
  return checkText("A key", key, MAX_KEY_BYTES);
}

export function checkNamespace(namespace: string): void {
  if (namespace === "") throw new HubError(ErrorCode.InvalidArgument, "The namespace must not be empty");
  checkText("The namespace", namespace, MAX_NAMESPACE_BYTES);
}

/** A prefix may be empty; nothing else about it differs from a key. */
export function checkPrefix(prefix: string): void {
  checkText("A prefix", prefix, MAX_KEY_BYTES);
}

export function checkValue(value: Uint8Array): void {
  if (value.length <= MAX_VALUE_BYTES) return;
  const what = `A value of ${value.length} bytes is too long: at most ${MAX_VALUE_BYTES}`;
  throw new HubError(ErrorCode.InvalidArgument, what);
}

/** @param version 0: there must be no entry; undefined: whatever is there */
export function checkExpected(version: number | undefined): void {
  if (version === undefined || (Number.isSafeInteger(version) && version >= 0)) return;
  throw new HubError(ErrorCode.InvalidArgument, `An expected version is a whole number from 0 on, not ${version}`);
}

/** @returns when an entry written now expires, epoch milliseconds; 0 for one that stays */
export function expiryOf(ttlMs: number, nowMs: number): number {
  if (ttlMs === 0) return 0;
  if (!(ttlMs > 0 && ttlMs <= MAX_TTL_MS)) {
    const what = `A time to live is a number of milliseconds up to ${MAX_TTL_MS}, or 0 for ever, not ${ttlMs}`;
    throw new HubError(ErrorCode.InvalidArgument, what);
  }
  return Math.ceil(nowMs + ttlMs);
}

function checkText(what: string, text: string, maxBytes: number): number {
  // Halves of a surrogate pair have no bytes: different keys would become one.
  if (!text.isWellFormed()) throw new HubError(ErrorCode.InvalidArgument, `${what} must be valid Unicode`);
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return bytes;
  throw new HubError(ErrorCode.InvalidArgument, `${what} of ${bytes} bytes is too long: at most ${maxBytes}`);
}
