import { describe, expect, it } from "vitest";
import { idCandidates } from "./ids.ts";

describe("idCandidates", () => {
  it("draws each letter, and widens after eight draws of a width", () => {
    let seed = 1;
    const random = (limit: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % limit;
    };
    const ids = [...idCandidates("FEAT", random)];
    expect(ids).toHaveLength(80);
    expect(ids.slice(0, 8).every((id) => /^FEAT-[A-Z]{3}$/.test(id))).toBe(true);
    expect(ids.slice(8, 16).every((id) => /^FEAT-[A-Z]{4}$/.test(id))).toBe(true);
    expect(ids.at(-1)).toMatch(/^FEAT-[A-Z]{12}$/);
    expect(new Set(ids).size).toBeGreaterThan(75);
  });
});
