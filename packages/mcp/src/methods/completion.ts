import type { Method, RequestContext, Result } from "../context.ts";
import { isObject } from "../json.ts";
import { invalidParams } from "../rpc-error.ts";
import { textArguments } from "./prompts.ts";

/** The protocol's own limit for one answer. */
const MAX_VALUES = 100;

export const complete: Method = async (params, context) => {
  const { ref, argument } = params;
  if (!isObject(ref)) throw invalidParams('completion/complete needs a "ref"');
  if (!isObject(argument) || typeof argument["name"] !== "string" || typeof argument["value"] !== "string") {
    throw invalidParams('completion/complete needs an "argument" with a "name" and a "value"');
  }
  const { name, value } = argument as { name: string; value: string };
  const resolved = isObject(params["context"]) ? textArguments(params["context"]["arguments"]) : {};
  const all = await candidates(ref, { name, value, resolved }, context);
  return { completion: rank(all, value) };
};

interface Asked {
  readonly name: string;
  readonly value: string;
  readonly resolved: Record<string, string>;
}

async function candidates(ref: { readonly [key: string]: unknown }, asked: Asked, context: RequestContext) {
  if (ref["type"] === "ref/prompt" && typeof ref["name"] === "string") return promptValues(ref["name"], asked, context);
  if (ref["type"] === "ref/resource" && typeof ref["uri"] === "string")
    return templateValues(ref["uri"], asked, context);
  throw invalidParams('"ref" must be a "ref/prompt" with a "name" or a "ref/resource" with a "uri"');
}

async function promptValues(name: string, asked: Asked, context: RequestContext): Promise<readonly string[]> {
  const prompt = (await context.backend.listPrompts(context)).find((each) => each.name === name);
  if (prompt === undefined) throw invalidParams(`Unknown prompt: ${name}`);
  const argument = prompt.arguments.find((each) => each.name === asked.name);
  if (argument === undefined) throw invalidParams(`The prompt "${name}" has no argument "${asked.name}"`);
  return argument.suggestions ?? [];
}

async function templateValues(uri: string, asked: Asked, context: RequestContext): Promise<readonly string[]> {
  const template = (await context.backend.listResourceTemplates(context)).find((each) => each.uriTemplate === uri);
  if (template === undefined) throw invalidParams(`Unknown resource template: ${uri}`);
  if (!uri.includes(`{${asked.name}}`)) throw invalidParams(`The template "${uri}" has no variable "${asked.name}"`);
  const { name: variable, value, resolved } = asked;
  return context.backend.completeTemplate({ uriTemplate: uri, variable, value, resolved }, context);
}

/** What begins with the typed text comes first, then what contains it; otherwise the order is the backend's. */
function rank(all: readonly string[], typed: string): Result {
  const wanted = typed.toLowerCase();
  const starting: string[] = [];
  const containing: string[] = [];
  for (const candidate of new Set(all)) {
    const at = candidate.toLowerCase().indexOf(wanted);
    if (at >= 0) (at === 0 ? starting : containing).push(candidate);
  }
  const found = [...starting, ...containing];
  return { values: found.slice(0, MAX_VALUES), total: found.length, hasMore: found.length > MAX_VALUES };
}
