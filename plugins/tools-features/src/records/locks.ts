import { hash } from "node:crypto";
import type { JsonObject } from "@orchestrator/runtime";
import { objectsField, textField } from "./fields.ts";
import { timestamp } from "./timestamp.ts";

/** A session that says nothing for this long has lost its features. */
export const LOCK_EXPIRY_MS = 30 * 60_000;

/**
 * How long an announced start blocks others when it never happens. A start is one write away from its announcement, so
 * only a process that died in between ever waits this out.
 */
export const CLAIM_EXPIRY_MS = 30_000;

/** One session's hold on one feature. */
export interface Lock {
  readonly featureId: string;
  readonly holder: string;
  readonly lockedAt: string;
}

/** "This feature is about to enter in-progress": pending until the record moves on from `version`. */
export interface Claim {
  readonly featureId: string;
  readonly version: number;
  readonly claimedAt: string;
}

/** All locks and claims of a project: one document, so that one compare-and-set decides between sessions. */
export interface LockTable {
  readonly locks: readonly Lock[];
  readonly claims: readonly Claim[];
}

export const NO_LOCKS: LockTable = { locks: [], claims: [] };

/**
 * Names a session in the table. Only a digest is stored: the records are shared through version control, and a
 * session id may be all that a client needs to speak for its session.
 * @returns "" for the empty session, which neither takes nor respects locks
 */
export function holderOf(sessionId: string): string {
  return sessionId === "" ? "" : hash("sha256", sessionId).slice(0, 32);
}

export function decodeLocks(metadata: JsonObject): LockTable {
  const locks = objectsField(metadata, "locks").map((entry) => ({
    featureId: textField(entry, "feature_id"),
    holder: textField(entry, "holder"),
    lockedAt: textField(entry, "locked_at"),
  }));
  const claims = objectsField(metadata, "claims").map((entry) => ({
    featureId: textField(entry, "feature_id"),
    version: Number(textField(entry, "version")),
    claimedAt: textField(entry, "claimed_at"),
  }));
  return { locks, claims };
}

export function encodeLocks(table: LockTable): JsonObject {
  return {
    locks: table.locks.map((lock) => ({
      feature_id: lock.featureId,
      holder: lock.holder,
      locked_at: lock.lockedAt,
    })),
    claims: table.claims.map((claim) => ({
      feature_id: claim.featureId,
      version: claim.version,
      claimed_at: claim.claimedAt,
    })),
  };
}

/** The live lock on a feature, whoever holds it. */
export function lockOn(table: LockTable, featureId: string, now: number): Lock | undefined {
  return table.locks.find((lock) => lock.featureId === featureId && isFresh(lock.lockedAt, now, LOCK_EXPIRY_MS));
}

/** Whether another session than `holder` has the feature. The empty holder is never kept out. */
export function lockedByOther(table: LockTable, featureId: string, holder: string, now: number): boolean {
  if (holder === "") return false;
  const lock = lockOn(table, featureId, now);
  return lock !== undefined && lock.holder !== holder;
}

/** Takes or refreshes the lock; the empty holder takes none. Entries past their time are dropped on the way. */
export function withLock(table: LockTable, featureId: string, holder: string, now: number): LockTable {
  if (holder === "") return pruned(table, now);
  const others = pruned(withoutLock(table, featureId), now);
  return { ...others, locks: [...others.locks, { featureId, holder, lockedAt: timestamp(now) }] };
}

export function withoutLock(table: LockTable, featureId: string): LockTable {
  return { ...table, locks: table.locks.filter((lock) => lock.featureId !== featureId) };
}

export function withClaim(table: LockTable, featureId: string, version: number, now: number): LockTable {
  const others = withoutClaim(table, featureId);
  return { ...others, claims: [...others.claims, { featureId, version, claimedAt: timestamp(now) }] };
}

export function withoutClaim(table: LockTable, featureId: string): LockTable {
  return { ...table, claims: table.claims.filter((claim) => claim.featureId !== featureId) };
}

/** Whether a feature, seen at `version`, has announced a start that is still to be written. */
export function isClaimed(table: LockTable, featureId: string, version: number, now: number): boolean {
  return table.claims.some(
    (claim) =>
      claim.featureId === featureId && claim.version === version && isFresh(claim.claimedAt, now, CLAIM_EXPIRY_MS),
  );
}

function pruned(table: LockTable, now: number): LockTable {
  return {
    locks: table.locks.filter((lock) => isFresh(lock.lockedAt, now, LOCK_EXPIRY_MS)),
    claims: table.claims.filter((claim) => isFresh(claim.claimedAt, now, CLAIM_EXPIRY_MS)),
  };
}

/** A time far in the future is a wrong clock, not a lock for ever; one that cannot be read has passed. */
function isFresh(at: string, now: number, expiryMs: number): boolean {
  return Math.abs(now - Date.parse(at)) < expiryMs;
}
