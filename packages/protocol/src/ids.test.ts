import { describe, expect, it } from "vitest";
import { createIdSource, uuidv7 } from "./ids.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function timeOf(uuid: string): number {
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}

function constantBytes(byte: number) {
  return (into: Uint8Array) => void into.fill(byte);
}

describe("uuidv7", () => {
  it("holds the time in its first 48 bits, the version and the variant", () => {
    const nowMs = 1_763_695_000_123;
    const id = uuidv7({ now: () => nowMs });
    expect(id).toMatch(UUID_V7);
    expect(timeOf(id)).toBe(nowMs);
    expect(uuidv7({ now: () => 0x0123456789ab, getRandomValues: constantBytes(0xff) })).toBe(
      "01234567-89ab-7fff-bfff-ffffffffffff",
    );
  });

  it("uses the host's clock and random bytes by default", () => {
    const before = Date.now();
    const ids = [uuidv7(), uuidv7()];
    expect(timeOf(ids[0]!)).toBeGreaterThanOrEqual(before);
    expect(timeOf(ids[1]!)).toBeLessThanOrEqual(Date.now());
    expect(ids[0]).not.toBe(ids[1]);
  });
});

describe("createIdSource", () => {
  it("makes uuids that sort in the order of their making, also within one millisecond", () => {
    const source = createIdSource({ now: () => 1_763_695_000_123 });
    const ids = Array.from({ length: 20_000 }, () => source.uuid());
    expect(ids.every((id) => UUID_V7.test(id))).toBe(true);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("stays in order when the clock steps back, and follows it when it goes on", () => {
    const times = [1000, 2000, 500, 500, 3000];
    const source = createIdSource({ now: () => times.shift()! });
    const ids = Array.from({ length: 5 }, () => source.uuid());
    expect([...ids].sort()).toEqual(ids);
    expect(ids.map(timeOf)).toEqual([1000, 2000, 2000, 2000, 3000]);
  });

  it("makes trace and span ids of the right size that are never all zero", () => {
    const fills = [0x00, 0xab];
    const source = createIdSource({
      getRandomValues: (into) => void into.fill(fills.length > 1 ? fills.shift()! : fills[0]!),
    });
    expect(source.traceId()).toBe("ab".repeat(16));
    expect(source.spanId()).toBe("ab".repeat(8));
    const real = createIdSource();
    const ids = Array.from({ length: 1000 }, () => real.traceId());
    expect(new Set(ids).size).toBe(1000);
    expect(real.spanId()).toMatch(/^[0-9a-f]{16}$/);
  });

  it("shares nothing between two sources", () => {
    const options = { now: () => 1000, getRandomValues: constantBytes(1) };
    expect(createIdSource(options).uuid()).toBe(createIdSource(options).uuid());
  });
});
