import type { JsonObject } from "@orchestrator/runtime";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeFeature, encodeFeature } from "./feature.ts";

const word = fc.string({ minLength: 1 });
const words = fc.uniqueArray(word);
const feature = fc.record({
  id: fc.constant("FEAT-ABC"),
  projectId: fc.constant("my-app"),
  title: fc.string(),
  description: fc.string(),
  status: word,
  priority: word,
  kind: fc.string(),
  assignee: fc.string(),
  labels: words,
  dependsOn: words,
  blocks: words,
  estimate: fc.string(),
  createdAt: fc.string(),
  updatedAt: fc.string(),
  extra: fc.dictionary(
    word.map((key) => `x-${key}`),
    fc.jsonValue() as fc.Arbitrary<never>,
  ),
});

describe("feature records", () => {
  it("come back as they were written", () => {
    fc.assert(
      fc.property(feature, (value) => {
        expect(decodeFeature(encodeFeature(value), "my-app", "FEAT-ABC")).toEqual(value);
      }),
    );
  });

  it("carry optional keys only where they say something", () => {
    const bare = decodeFeature({ title: "T" }, "my-app", "FEAT-ABC");
    expect(Object.keys(encodeFeature(bare)).sort()).toEqual(
      "created_at description id priority project_id status title updated_at version".split(" "),
    );
  });

  it("never fail to decode, whatever a person wrote", () => {
    const keys = fc.constantFrom(
      ..."title description status priority kind labels depends_on blocks created_at".split(" "),
    );
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue()), (metadata) => {
        const value = decodeFeature(metadata as JsonObject, "p", "FEAT-X");
        for (const text of [
          value.title,
          value.description,
          value.status,
          value.priority,
          value.kind,
          value.createdAt,
        ]) {
          expect(typeof text).toBe("string");
        }
        for (const list of [value.labels, value.dependsOn, value.blocks]) {
          expect(list.every((item) => typeof item === "string" && item !== "")).toBe(true);
        }
      }),
    );
  });
});
