import {
  ErrorCode,
  HubError,
  type PromptDefinition,
  type PromptGetResponse,
  type ToolDefinition,
} from "@orchestrator/protocol";
import type { PromptInfo, PromptResult, ToolInfo } from "../hub-client.ts";

export function toToolInfo(tool: ToolDefinition): ToolInfo {
  const { name, title, description, inputSchema, outputSchema, annotations, streaming } = tool;
  return { name, title, description, inputSchema, outputSchema, annotations, streaming };
}

export function toPromptInfo({ name, description, arguments: args }: PromptDefinition): PromptInfo {
  return {
    name,
    description,
    arguments: args.map((argument) => ({
      name: argument.name,
      description: argument.description,
      required: argument.required,
      suggestions: argument.suggestions,
    })),
  };
}

/** @throws {HubError} `NOT_FOUND`: a prompt without messages is how existing peers say that they have none, and why */
export function promptResult(name: string, { description, messages }: PromptGetResponse): PromptResult {
  if (messages.length === 0) {
    throw new HubError(ErrorCode.NotFound, description === "" ? `Prompt "${name}" is empty` : description);
  }
  return {
    description,
    messages: messages.map(({ role, content }) => ({ role, type: content?.type ?? "text", text: content?.text ?? "" })),
  };
}
