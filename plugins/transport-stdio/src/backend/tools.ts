import type { BackendCall, JsonObject, McpTool, ToolCall, ToolOutcome } from "@orchestrator/mcp";
import { ErrorCode, fromWireError, HubError, LegacyCode, type ToolDefinition } from "@orchestrator/protocol";
import { ask, wrongAnswer } from "../hub/ask.ts";
import type { Hub } from "./hub.ts";
import { streamTool } from "./stream-tool.ts";
import { ToolIndex } from "./tool-index.ts";

/** The tools of all plugins. */
export class Tools {
  readonly #hub: Hub;
  readonly #timeoutMs: number;
  readonly #index: ToolIndex;

  /** @param timeoutMs how long one call may take */
  constructor(hub: Hub, timeoutMs: number) {
    this.#hub = hub;
    this.#timeoutMs = timeoutMs;
    this.#index = new ToolIndex(hub);
  }

  /** Something came or went. */
  forget(): void {
    this.#index.forget();
  }

  async list(call: BackendCall): Promise<readonly McpTool[]> {
    return (await this.#index.list(call)).map(toTool);
  }

  /** @throws {HubError} `NOT_FOUND` for a tool that no plugin has */
  async call(name: string, input: JsonObject, call: ToolCall): Promise<ToolOutcome> {
    const known = this.#index.peek(name) ?? (await this.#index.find(name, call));
    if (known?.streaming === true) return this.#stream(name, input, call);
    const outcome = await this.#plain(name, input, call);
    if (outcome.ok) return known?.promised === true ? { ...outcome, promised: true } : outcome;
    return outcome.code === LegacyCode.ToolNotFound ? this.#notFound(name, input, call, outcome) : outcome;
  }

  /**
   * The answer is the same for a tool that nobody has and for one that must be started as a stream, which older plugins do not
   * say of their tools. The list tells the two apart; nothing has run yet.
   */
  async #notFound(name: string, input: JsonObject, call: ToolCall, outcome: ToolOutcome): Promise<ToolOutcome> {
    const known = await this.#index.findAgain(name, call);
    if (known === undefined) throw new HubError(ErrorCode.NotFound, `Unknown tool: ${name}`);
    const streamed = await this.#stream(name, input, call);
    if (!streamed.ok && streamed.code === LegacyCode.ToolNotFound) return outcome;
    known.streaming = true;
    return streamed;
  }

  async #stream(name: string, input: JsonObject, call: ToolCall): Promise<ToolOutcome> {
    return streamTool(this.#hub.peer, name, input, { call, timeoutMs: this.#timeoutMs });
  }

  async #plain(name: string, input: JsonObject, call: ToolCall): Promise<ToolOutcome> {
    const value = {
      toolName: name,
      arguments: input,
      callerPlugin: "transport.stdio",
      traceParent: "",
      provider: "",
      sessionId: call.sessionId,
    };
    const { onProgress, signal } = call;
    const report =
      onProgress && ((progress: number, total: number, message: string) => onProgress({ progress, total, message }));
    const response = await ask(this.#hub.peer, {
      requestId: `stdio-tc-${call.requestId}`,
      request: { $case: "toolCall", value },
      timeoutMs: this.#timeoutMs,
      signal,
      onProgress: report,
    });
    if (response.response?.$case !== "toolCall") {
      throw response.error === undefined ? wrongAnswer("toolCall", response) : fromWireError(response.error);
    }
    const { success, result, errorCode, errorMessage } = response.response.value;
    if (success) return { ok: true, value: result ?? {} };
    // Existing plugins answer so, with every field empty, when their handler returned nothing.
    if (errorCode === "" && errorMessage === "" && response.error === undefined)
      return { ok: true, value: { text: "" } };
    return { ok: false, code: errorCode, message: errorMessage };
  }
}

function toTool(tool: ToolDefinition): McpTool {
  const { name, title, description, inputSchema, outputSchema, annotations } = tool;
  return { name, title, description, inputSchema, outputSchema, annotations };
}
