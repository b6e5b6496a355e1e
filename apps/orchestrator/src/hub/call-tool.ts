import {
  ErrorCode,
  fromWireError,
  HubError,
  LegacyCode,
  type ToolDefinition,
  uuidv7,
  type WireError,
} from "@orchestrator/protocol";
import type { HubClient } from "./hub-client.ts";

/** What a tool said went wrong. */
export interface ToolFailed {
  /** The tool's own code. */
  readonly code: string;
  readonly message: string;
}

export type ToolOutcome =
  | { readonly result: Record<string, unknown>; readonly chunks: number }
  | { readonly failure: ToolFailed };

export interface ToolCall {
  readonly arguments: Record<string, unknown>;
  /** 0 leaves it to the hub. */
  readonly timeoutMs: number;
  readonly provider: string;
  readonly sessionId: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: number, total: number, message: string) => void;
  /** Receives the output of a streaming tool piece by piece. */
  readonly onChunk: (text: string) => void;
}

/** Codes with which the hub says that the tool was not reached: those are failures of the hub's, not of the tool. */
const NOT_THE_TOOL: ReadonlySet<string> = new Set([
  LegacyCode.ToolNotFound,
  LegacyCode.RoutingError,
  LegacyCode.InvalidResponse,
  LegacyCode.UnknownRequest,
  "resource_exhausted",
  "permission_denied",
]);

/** The answer came from the tool or from on the way; a deadline or a cancellation is not the tool's doing in either case. */
function notTheTool(errorCode: string, error: WireError | undefined): HubError | undefined {
  if (error === undefined) return undefined;
  const known = fromWireError(error);
  const ended = known.code === ErrorCode.DeadlineExceeded || known.code === ErrorCode.Cancelled;
  return ended || NOT_THE_TOOL.has(errorCode) ? known : undefined;
}

/**
 * Calls a tool, streaming or not.
 * @throws {HubError} when the call never came to an answer of the tool's own
 */
export async function callTool(hub: HubClient, tool: ToolDefinition, call: ToolCall): Promise<ToolOutcome> {
  return tool.streaming ? stream(hub, tool.name, call) : plain(hub, tool.name, call);
}

async function plain(hub: HubClient, name: string, call: ToolCall): Promise<ToolOutcome> {
  const value = {
    toolName: name,
    arguments: call.arguments,
    callerPlugin: "",
    traceParent: "",
    provider: call.provider,
    sessionId: call.sessionId,
  };
  const answer = await hub.send({ $case: "toolCall", value }, call);
  if (answer.response?.$case !== "toolCall") {
    throw answer.error === undefined
      ? new HubError(ErrorCode.Protocol, "The hub answered with something else")
      : fromWireError(answer.error);
  }
  const { success, result, errorCode, errorMessage } = answer.response.value;
  if (success) return { result: result ?? {}, chunks: 0 };
  const other = notTheTool(errorCode, answer.error);
  if (other !== undefined) throw other;
  // Existing plugins answer so, with every field empty, when their handler returned nothing.
  if (errorCode === "" && errorMessage === "" && answer.error === undefined) return { result: {}, chunks: 0 };
  return { failure: { code: errorCode || "failed", message: errorMessage } };
}

async function stream(hub: HubClient, name: string, call: ToolCall): Promise<ToolOutcome> {
  const value = { streamId: uuidv7(), toolName: name, arguments: call.arguments, callerPlugin: "" };
  const decoder = new TextDecoder();
  let chunks = 0;
  for await (const { response, error } of hub.stream({ $case: "streamStart", value }, call)) {
    if (response?.$case === "streamChunk") {
      chunks++;
      call.onChunk(decoder.decode(response.value.data, { stream: true }));
    } else if (response?.$case === "streamEnd") {
      const { success, errorCode, errorMessage } = response.value;
      if (success) return { result: {}, chunks };
      const other = notTheTool(errorCode, error);
      if (other !== undefined) throw other;
      return { failure: { code: errorCode, message: errorMessage } };
    } else if (error !== undefined) throw fromWireError(error);
  }
  throw new HubError(ErrorCode.Protocol, `The stream of "${name}" ended without an end`);
}
