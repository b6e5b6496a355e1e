import type { ToolOutcome } from "./backend.ts";
import { isObject, type JsonObject, type JsonValue } from "./json.ts";
import type { Revision } from "./revision.ts";

/** What tools/call answers. */
export interface ToolResult {
  readonly content: readonly JsonObject[];
  readonly structuredContent?: JsonObject;
  readonly isError?: true;
}

/** A failure that the model should read and may act upon. */
export function toolFailure(code: string, message: string): ToolResult {
  return { content: [text(message === "" ? `tool error: ${code}` : message)], isError: true };
}

/**
 * Writes a tool's outcome as content. A value with the key `text` is shown as that text, any other as JSON; data that came with
 * the text also goes out as it is, for clients that can use it. Text alone is not sent twice: clients which prefer structured
 * content would show the model quoted JSON in place of readable text.
 */
export function toolResult(outcome: ToolOutcome, revision: Revision): ToolResult {
  if (!outcome.ok) return toolFailure(outcome.code, outcome.message);
  const { value, promised } = outcome;
  const content = blocks(value, revision);
  if (!revision.structuredContent) return { content };
  if (promised === true) return { content, structuredContent: value };
  const { _ui, ...data } = value;
  if (Object.keys(data).every((key) => key === "text" || (key === "content" && isContent(data[key]))))
    return { content };
  return { content, structuredContent: data };
}

function blocks(value: JsonObject, revision: Revision): readonly JsonObject[] {
  const ready = value["content"];
  if (isContent(ready)) return ready.map((block) => (isKnown(block, revision) ? block : text(JSON.stringify(block))));
  if (Object.hasOwn(value, "text")) return [text(typeof value["text"] === "string" ? value["text"] : "")];
  return [text(JSON.stringify(value))];
}

function text(value: string): JsonObject {
  return { type: "text", text: value };
}

/** A list is content only when every entry is a well-formed block; a tool may use the word for something else. */
function isContent(value: JsonValue | undefined): value is JsonObject[] {
  return Array.isArray(value) && value.length > 0 && value.every(isBlock);
}

function isBlock(block: JsonValue): boolean {
  if (!isObject(block)) return false;
  switch (block["type"]) {
    case "text":
      return typeof block["text"] === "string";
    case "image":
    case "audio":
      return isBase64(block["data"]) && typeof block["mimeType"] === "string";
    case "resource_link":
      return typeof block["uri"] === "string" && typeof block["name"] === "string";
    case "resource":
      return isEmbedded(block["resource"]);
    default:
      return false;
  }
}

function isEmbedded(resource: unknown): boolean {
  if (!isObject(resource) || typeof resource["uri"] !== "string") return false;
  return typeof resource["text"] === "string" || isBase64(resource["blob"]);
}

function isBase64(value: unknown): boolean {
  return typeof value === "string" && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}

function isKnown(block: JsonObject, revision: Revision): boolean {
  if (block["type"] === "audio") return revision.audio;
  return block["type"] !== "resource_link" || revision.resourceLinks;
}
