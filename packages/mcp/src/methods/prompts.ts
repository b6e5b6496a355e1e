import type { McpPrompt } from "../backend.ts";
import type { Method, Result } from "../context.ts";
import { isObject } from "../json.ts";
import { paginate } from "../paging.ts";
import type { Revision } from "../revision.ts";
import { invalidParams } from "../rpc-error.ts";

export const listPrompts: Method = async (params, context) => {
  const all = await context.backend.listPrompts(context);
  const page = paginate(all, { kind: "prompts", key: (prompt) => prompt.name, params, size: context.pageSize });
  return { prompts: page.items.map((prompt) => describe(prompt, context.revision)), nextCursor: page.nextCursor };
};

export const getPrompt: Method = async (params, context) => {
  const { name, arguments: given } = params;
  if (typeof name !== "string" || name === "") throw invalidParams('prompts/get needs a "name"');
  const { description, messages } = await context.backend.getPrompt(name, textArguments(given), context);
  return {
    description,
    messages: messages.map(({ role, text }) => ({ role, content: { type: "text", text } })),
  };
};

/** @throws {RpcError} invalid parameters, where a value is not text */
export function textArguments(given: unknown): Record<string, string> {
  if (given === undefined || given === null) return {};
  if (!isObject(given)) throw invalidParams('"arguments" must be an object');
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== "string") throw invalidParams(`The argument "${name}" must be a string`);
  }
  return given as Record<string, string>;
}

function describe(prompt: McpPrompt, revision: Revision): Result {
  return {
    name: prompt.name,
    title: revision.titles ? prompt.title : undefined,
    description: prompt.description,
    arguments: prompt.arguments.map(({ name, description, required }) => ({ name, description, required })),
  };
}
