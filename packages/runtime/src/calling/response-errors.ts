import {
  ErrorCode,
  fromWireError,
  HubError,
  LegacyCode,
  legacyCode,
  type PluginResponse,
} from "@orchestrator/protocol";
import type { ToolFailure } from "../hub-client.ts";

/** Codes with which a hub says that the call never came to an answer of the tool's own. */
const ROUTING_CODES: ReadonlyMap<string, ErrorCode> = new Map([
  [LegacyCode.ToolNotFound, ErrorCode.NotFound],
  [LegacyCode.RoutingError, ErrorCode.Unavailable],
  [LegacyCode.InvalidResponse, ErrorCode.Protocol],
  [LegacyCode.UnknownRequest, ErrorCode.Unimplemented],
  ["tool_routing_error", ErrorCode.Unavailable],
  ["prompt_routing_error", ErrorCode.Unavailable],
  ["list_tools_error", ErrorCode.Unavailable],
  ["list_prompts_error", ErrorCode.Unavailable],
  ...[
    ErrorCode.DeadlineExceeded,
    ErrorCode.Cancelled,
    ErrorCode.ResourceExhausted,
    ErrorCode.Unauthenticated,
    ErrorCode.PermissionDenied,
  ].map((code) => [legacyCode(code), code] as const),
]);

/** Our codes for what existing tools report most often. Anything else went wrong inside the tool. */
const TOOL_CODES: ReadonlyMap<string, ErrorCode> = new Map([
  ["not_found", ErrorCode.NotFound],
  ["validation_error", ErrorCode.InvalidArgument],
  ["invalid_argument", ErrorCode.InvalidArgument],
  ["already_exists", ErrorCode.AlreadyExists],
  ["invalid_state", ErrorCode.FailedPrecondition],
  ["failed_precondition", ErrorCode.FailedPrecondition],
]);

/**
 * The failure that a response reports, whatever its shape, or undefined for a good one. The error in field 200 counts where
 * there is one; else the shape that existing peers use tells what it can. Shapes that cannot fail in this sense (an empty
 * storage answer) are for the caller to judge.
 */
export function failureOf(response: PluginResponse): HubError | undefined {
  const { response: answer, error } = response;
  if (answer?.$case === "toolCall" && !answer.value.success) {
    return toolFailure(answer.value.errorCode, answer.value.errorMessage, error);
  }
  if (answer?.$case === "streamEnd" && !answer.value.success) {
    return toolFailure(answer.value.errorCode, answer.value.errorMessage, error);
  }
  return error === undefined ? undefined : fromWireError(error);
}

function toolFailure(errorCode: string, errorMessage: string, error: PluginResponse["error"]): HubError {
  const routing = ROUTING_CODES.get(errorCode);
  const known = error === undefined ? undefined : fromWireError(error);
  const code = known?.code ?? routing ?? TOOL_CODES.get(errorCode) ?? ErrorCode.Internal;
  const message = errorMessage || known?.message || "The tool failed and gave no reason";
  if (routing !== undefined) return new HubError(code, message);
  const cause: ToolFailure = { errorCode, errorMessage };
  return new HubError(code, message, { cause });
}

/** The error for an answer that does not belong to the question. */
export function wrongAnswer(asked: string, response: PluginResponse): HubError {
  const got = response.response?.$case ?? "an empty acknowledgement";
  return new HubError(ErrorCode.Protocol, `Asked for "${asked}" and was answered with ${got}`);
}
