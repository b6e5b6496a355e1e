import type { JsonObject } from "@orchestrator/runtime";
import { type Feature, kindOf } from "../records/feature.ts";
import { bullets } from "../render/bullets.ts";
import { nextStep, requireStatus } from "../workflow/states.ts";
import { answer, paragraphs } from "./define.ts";

/** What the next step of a feature needs, in words and in an example. */
export function gateRequirements(feature: Feature): JsonObject {
  const from = requireStatus(feature.id, feature.status);
  const step = nextStep(from, kindOf(feature));
  const heading = `## Gate Requirements: ${feature.id}`;
  if (step === undefined) {
    const last = from === "done" ? "It is done; there is no next step." : "A person decides: submit_review.";
    return answer(paragraphs(heading, bullets([["Status", from]]).join("\n"), last), { status: from });
  }
  const way = bullets([
    ["Status", from],
    ["Next", step.to],
    ["Gate", step.gate === undefined ? "none" : step.gate.name],
  ]).join("\n");
  const facts: JsonObject = { status: from, next: step.to };
  if (step.gate === undefined) return answer(paragraphs(heading, way, "The way is free."), facts);
  if (step.gateSkipped) {
    const free = `The gate is not checked for kind ${kindOf(feature)}: any evidence will do.`;
    return answer(paragraphs(heading, way, free), { ...facts, gate: step.gate.name, skipped: true });
  }
  const { name, section, files, example } = step.gate;
  const needs = bullets([
    ["Section", `"## ${section}" with at least 10 characters`],
    ["Files", files],
  ]).join("\n");
  const sample = `Example:\n\n\`\`\`markdown\n${example}\n\`\`\``;
  return answer(paragraphs(heading, `${way}\n${needs}`, sample), { ...facts, gate: name, section, files });
}
