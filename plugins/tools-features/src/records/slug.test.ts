import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { slugOf } from "./slug.ts";

describe("slugOf", () => {
  it.each([
    ["My App", "my-app"],
    ["  My -- App!  ", "my-app"],
    ["UPPER_case 2", "upper-case-2"],
    ["v1.2.3", "v1-2-3"],
    ["Login — “v2”", "login-v2"],
    ["C++", "c"],
    ["Price: 5$", "price-5"],
  ])("%j becomes %j, as in other programs on the same records", (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });

  it.each([
    ["Проект", /^p-[a-z2-7]{8}$/],
    ["Проект 1", /^1-[a-z2-7]{8}$/],
    ["Café", /^caf-[a-z2-7]{8}$/],
    ["🎉", /^p-[a-z2-7]{8}$/],
    ["---", /^p-[a-z2-7]{8}$/],
    ["x".repeat(500), /^x{71}-[a-z2-7]{8}$/],
    [`${"x".repeat(70)} ${"y".repeat(70)}`, /^x{70}-[a-z2-7]{8}$/],
  ])("%j keeps a digest of what is lost", (name, pattern) => {
    expect(slugOf(name)).toMatch(pattern);
  });

  it("is the same for the same name, however it was typed", () => {
    expect(slugOf("Café".normalize("NFD"))).toBe(slugOf("Café".normalize("NFC")));
    expect(slugOf("ПРОЕКТ")).toBe(slugOf("проект "));
  });

  it("is a safe path segment of bounded length for every name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 120 }), (name) => {
        const slug = slugOf(name);
        return /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(slug) && slug.length <= 80;
      }),
    );
  });

  it("never gives two names of another script one slug", () => {
    const word = fc.string({ unit: fc.constantFrom(..."абвгдеёжзабв設計한국αβγ🎉🚀"), minLength: 1 });
    fc.assert(
      fc.property(word, word, (one, other) => {
        fc.pre(one !== other);
        expect(slugOf(one)).not.toBe(slugOf(other));
        expect(slugOf(`app ${one}`)).not.toBe(slugOf(`app ${other}`));
      }),
    );
  });
});
