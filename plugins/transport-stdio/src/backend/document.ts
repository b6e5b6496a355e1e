import { isUtf8 } from "node:buffer";
import type { JsonObject, McpResourceContents } from "@orchestrator/mcp";
import type { StorageReadResponse } from "@orchestrator/protocol";

/**
 * A stored document as a client reads it: the front matter above the text. Values are written as JSON, which is YAML as well;
 * the bytes on disk may spell them otherwise. A body that is no text goes out as it is, without front matter.
 */
export function toContents(uri: string, document: StorageReadResponse): McpResourceContents {
  const { content, metadata } = document;
  if (!isUtf8(content))
    return { uri, mimeType: "application/octet-stream", blob: Buffer.from(content).toString("base64") };
  return { uri, mimeType: "text/markdown", text: frontMatter(metadata) + new TextDecoder().decode(content) };
}

function frontMatter(metadata: JsonObject | undefined): string {
  if (metadata === undefined || Object.keys(metadata).length === 0) return "";
  const lines = Object.keys(metadata)
    .sort()
    .map((key) => `${/^[A-Za-z_][\w-]*$/.test(key) ? key : JSON.stringify(key)}: ${JSON.stringify(metadata[key])}`);
  return `---\n${lines.join("\n")}\n---\n\n`;
}
