import { ToolError } from "@orchestrator/runtime";

/** Strength by a part of the model's name; the first that fits counts, so the longer names stand first. */
const MODEL_TIERS: readonly (readonly [part: string, tier: number])[] = [
  ["opus", 3],
  ["sonnet", 2],
  ["haiku", 1],
  ["gpt-4o", 2],
  ["gpt-4", 3],
  ["gpt-3", 1],
  ["gemini-ultra", 3],
  ["gemini-pro", 2],
  ["gemini-flash", 1],
];

const NEEDED_TIER: Readonly<Record<string, number>> = { S: 1, M: 2, L: 3, XL: 3 };

/** 1 (light) to 3 (strong), or undefined for a model that is not known. */
export function modelTier(model: string): number | undefined {
  const lower = model.toLowerCase();
  return MODEL_TIERS.find(([part]) => lower.includes(part))?.[1];
}

/**
 * Refuses work that is too large for a model. Says nothing where the model, the estimate or either's tier is unknown.
 * @throws {ToolError} `model_capability`
 */
export function checkModel(model: string | undefined, id: string, estimate: string): void {
  const has = modelTier(model ?? "");
  const needs = Object.hasOwn(NEEDED_TIER, estimate) ? NEEDED_TIER[estimate] : undefined;
  if (has === undefined || needs === undefined || has >= needs) return;
  throw new ToolError(
    "model_capability",
    `${id} has estimate ${estimate} and needs a model of tier ${needs}; "${model}" is of tier ${has}. ` +
      "Use a stronger model or split the feature",
  );
}
