import { type CallContext, type JsonObject, tool, type UnaryTool } from "@orchestrator/runtime";
import type { Services } from "../services.ts";
import type { UnreadableRecord } from "../store/documents.ts";
import { Workspace } from "../store/workspace.ts";
import { type Arguments, type Input, readInput, schemaOf } from "./arguments.ts";

export type Tools = Readonly<Record<string, UnaryTool<never>>>;

interface ToolDescription<A extends Arguments> {
  readonly description: string;
  readonly input: A;
  /** `read` changes nothing, `remove` destroys, `write` is everything between. */
  readonly effect: "read" | "write" | "remove";
}

/** A tool over the records: reads its arguments, opens the workspace for this one call, and runs. */
export function recordTool<A extends Arguments>(
  services: Services,
  description: ToolDescription<A>,
  run: (input: Input<A>, workspace: Workspace) => Promise<JsonObject>,
): UnaryTool<never> {
  return tool<JsonObject>({
    description: description.description,
    input: schemaOf(description.input),
    annotations: {
      readOnlyHint: description.effect === "read",
      destructiveHint: description.effect === "remove",
      openWorldHint: false,
    },
    run: (input: JsonObject, context: CallContext) =>
      run(readInput(description.input, input), new Workspace(context, services)),
  });
}

/**
 * A result: text for people and models, and the same facts for programs. Records that could not be read stand below
 * the text, so that nobody takes a part for the whole.
 */
export function answer(text: string, facts: JsonObject = {}, unreadable: readonly UnreadableRecord[] = []): JsonObject {
  if (unreadable.length === 0) return { text, ...facts };
  const remarks = unreadable.map((record) => `- ${record.path}: ${record.reason}`);
  return {
    text: `${text}\n\n> Not counted here, because they could not be read:\n${remarks.join("\n")}`,
    ...facts,
    unreadable: unreadable.map(({ path, reason }) => ({ path, reason })),
  };
}

/** Paragraphs; empty ones are left out. */
export function paragraphs(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}
