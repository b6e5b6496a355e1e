import { describe, expect, it } from "vitest";
import {
  decodeLocks,
  encodeLocks,
  holderOf,
  isClaimed,
  lockedByOther,
  lockOn,
  NO_LOCKS,
  withClaim,
  withLock,
} from "./locks.ts";

const NOW = Date.UTC(2026, 10, 21, 1, 36, 14);
const MINUTE = 60_000;

describe("the lock table", () => {
  it("keeps others out for 30 minutes and never its holder", () => {
    const table = withLock(NO_LOCKS, "FEAT-A", "me", NOW);
    expect(lockedByOther(table, "FEAT-A", "you", NOW)).toBe(true);
    expect(lockedByOther(table, "FEAT-A", "me", NOW)).toBe(false);
    expect(lockedByOther(table, "FEAT-B", "you", NOW)).toBe(false);
    expect(lockedByOther(table, "FEAT-A", "", NOW)).toBe(false);
    expect(lockedByOther(table, "FEAT-A", "you", NOW + 30 * MINUTE - 1)).toBe(true);
    expect(lockedByOther(table, "FEAT-A", "you", NOW + 30 * MINUTE)).toBe(false);
  });

  it("holds one lock per feature, refreshed by the next", () => {
    const table = withLock(withLock(NO_LOCKS, "FEAT-A", "me", NOW), "FEAT-A", "me", NOW + 10 * MINUTE);
    expect(table.locks).toHaveLength(1);
    expect(lockOn(table, "FEAT-A", NOW + 39 * MINUTE)?.lockedAt).toBe("2026-11-21T01:46:14Z");
  });

  it("drops what has expired, and takes nothing for the empty session", () => {
    const old = withClaim(withLock(NO_LOCKS, "FEAT-A", "me", NOW), "FEAT-A", 1, NOW);
    expect(withLock(old, "FEAT-B", "", NOW + 31 * MINUTE)).toEqual(NO_LOCKS);
  });

  it("survives the round trip through front matter, and damage to it", () => {
    const table = withClaim(withLock(NO_LOCKS, "FEAT-A", "me", NOW), "FEAT-A", 7, NOW);
    expect(decodeLocks(encodeLocks(table))).toEqual(table);
    const damaged = decodeLocks({ locks: [{ feature_id: "FEAT-A" }, "x", null], claims: "y" });
    expect(lockOn(damaged, "FEAT-A", NOW)).toBeUndefined();
  });

  it("takes a time far in the future for a wrong clock", () => {
    const table = withLock(NO_LOCKS, "FEAT-A", "me", NOW + 24 * 60 * MINUTE);
    expect(lockedByOther(table, "FEAT-A", "you", NOW)).toBe(false);
  });

  it("counts a claim until its record moves on, or 30 seconds", () => {
    const table = withClaim(NO_LOCKS, "FEAT-A", 3, NOW);
    expect(isClaimed(table, "FEAT-A", 3, NOW)).toBe(true);
    expect(isClaimed(table, "FEAT-A", 4, NOW)).toBe(false);
    expect(isClaimed(table, "FEAT-A", 3, NOW + 30_000)).toBe(false);
  });

  it("names sessions by a digest", () => {
    expect(holderOf("")).toBe("");
    expect(holderOf("session")).toMatch(/^[0-9a-f]{32}$/);
    expect(holderOf("session")).not.toBe(holderOf("session2"));
  });
});
