import { describe, expect, it } from "vitest";
import { checkModel, modelTier } from "./models.ts";

describe("models", () => {
  it.each([
    ["claude-opus-4", 3],
    ["Claude-Sonnet", 2],
    ["claude-haiku", 1],
    ["gpt-4o-mini", 2],
    ["gpt-4-turbo", 3],
    ["gpt-3.5", 1],
    ["gemini-ultra", 3],
    ["gemini-pro", 2],
    ["gemini-flash", 1],
    ["llama", undefined],
    ["", undefined],
  ])("%s is of tier %s", (model, tier) => expect(modelTier(model)).toBe(tier));

  it.each([
    ["haiku", "S", true],
    ["haiku", "M", false],
    ["sonnet", "M", true],
    ["sonnet", "L", false],
    ["sonnet", "XL", false],
    ["opus", "XL", true],
    ["haiku", "", true],
    ["haiku", "constructor", true],
    ["llama", "XL", true],
    [undefined, "XL", true],
  ])("%s may do work of size %s: %s", (model, estimate, allowed) => {
    const check = () => checkModel(model, "FEAT-A", estimate);
    if (allowed) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: "model_capability" }));
  });
});
