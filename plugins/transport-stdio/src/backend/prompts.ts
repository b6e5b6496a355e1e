import type { BackendCall, McpPrompt, McpPromptResult } from "@orchestrator/mcp";
import { ErrorCode, HubError, type PromptDefinition, type PromptMessage } from "@orchestrator/protocol";
import { askFor } from "../hub/ask.ts";
import type { Hub } from "./hub.ts";

/** The prompts of all plugins. */
export class Prompts {
  readonly #hub: Hub;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  async list(call: BackendCall): Promise<readonly McpPrompt[]> {
    const question = this.#hub.question(`pl-${call.requestId}`, { $case: "listPrompts", value: {} }, call);
    return (await askFor(this.#hub.peer, question, "listPrompts")).prompts.map(toPrompt);
  }

  /** @throws {HubError} `NOT_FOUND`, where no plugin has it or the one that has it refuses */
  async get(name: string, input: Readonly<Record<string, string>>, call: BackendCall): Promise<McpPromptResult> {
    const request = { $case: "promptGet", value: { promptName: name, arguments: { ...input } } } as const;
    const question = this.#hub.question(`pg-${call.requestId}`, request, call);
    const { description, messages } = await askFor(this.#hub.peer, question, "promptGet");
    if (messages.length > 0) return { description, messages: messages.map(toMessage) };
    // Existing peers say so that there is no such prompt, or why it could not be filled in.
    throw new HubError(ErrorCode.NotFound, description === "" ? `Unknown prompt: ${name}` : description);
  }
}

function toPrompt({ name, description, arguments: list }: PromptDefinition): McpPrompt {
  return { name, description, arguments: list };
}

/** Blocks of other types carry nothing but their text either, and a client would refuse one without the rest. */
function toMessage({ role, content }: PromptMessage): McpPromptResult["messages"][number] {
  return { role: role === "assistant" ? "assistant" : "user", text: content?.text ?? "" };
}
