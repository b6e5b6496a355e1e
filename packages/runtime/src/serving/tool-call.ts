import { ErrorCode, HubError, LegacyCode } from "@orchestrator/protocol";
import type { ToolOutput } from "../definition.ts";
import type { JsonObject } from "../json.ts";
import type { CompiledTool } from "../plugin/compile.ts";
import { toJsonObject } from "../to-json.ts";
import { handlerFailure } from "./failure.ts";
import type { RequestValue } from "./request-kind.ts";
import type { ServedCall } from "./served-call.ts";
import type { Serving } from "./serving.ts";

/** Runs a tool and answers with what it returns. */
export async function serveToolCall(
  call: ServedCall,
  request: RequestValue<"toolCall">,
  serving: Serving,
): Promise<void> {
  const tool = serving.plugin.tools.get(request.toolName);
  if (tool === undefined || tool.streaming) {
    const why = tool === undefined ? "is not one of this plugin's" : "answers in pieces; start a stream to call it";
    const error = new HubError(ErrorCode.NotFound, `Tool "${request.toolName}" ${why}`);
    call.fail(error, LegacyCode.ToolNotFound);
    return;
  }
  try {
    let input = checkInput(tool, request.arguments);
    if (input instanceof Promise) input = await input;
    const output = await tool.definition.run(input as never, serving.context(call));
    call.replyResult(resultOf(tool, output));
  } catch (thrown) {
    failHandler(call, tool, thrown, serving);
  }
}

/**
 * What the handler gets: the arguments, checked and as its schema turned them; at once, where the schema can.
 * @throws {ToolError} `validation_error`
 */
export function checkInput(tool: CompiledTool, input: JsonObject | undefined): unknown {
  const given = input ?? {};
  return tool.validate === undefined ? given : tool.validate(given);
}

/** Answers for a handler that threw; the stack of a mistake goes to the log and nowhere else. */
export function failHandler(call: ServedCall, tool: CompiledTool, thrown: unknown, serving: Serving): void {
  // A handler that stopped because it was told to has not failed on its own.
  const { error, legacyCode, isUnexpected } = handlerFailure(call.abortReason ?? thrown);
  if (isUnexpected && call.isOpen) serving.log.error(`Tool "${tool.name}" failed: ${error.message}`, { error: thrown });
  // A deadline is the hub's to tell as much as the plugin's: the caller reads the same, whoever notices first.
  call.fail(error, call.abortReason?.code === ErrorCode.DeadlineExceeded ? undefined : legacyCode);
}

function resultOf(tool: CompiledTool, output: ToolOutput): JsonObject {
  if (typeof output === "string") return { text: output };
  // An empty object and not nothing: peers in other languages read fields of it without asking.
  if (output === undefined || output === null) return {};
  return toJsonObject(output as object, `The result of tool "${tool.name}"`);
}
