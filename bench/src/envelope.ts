import { PluginRequest, PluginResponse } from "@orchestrator/protocol";

/** The arguments of {@link TOOL_CALL}: ten of them, 434 bytes as JSON. */
export const TOOL_ARGUMENTS = {
  project_id: "my-application",
  feature_id: "FEAT-ABC",
  title: "Login page with single sign-on",
  description:
    "A person signs in with the account of the company and lands where the link pointed to; who may not see that page is told so and sent home, and the attempt is logged there too, now.",
  priority: "P1",
  kind: "feature",
  estimate: 8,
  labels: ["auth", "web", "q4"],
  force: false,
  options: { depth: 2, include_body: true, format: "markdown", limit: 50 },
} as const;

/** A call of any tool with any arguments. */
export function toolCall(toolName: string, args: Readonly<Record<string, unknown>>): Uint8Array {
  return PluginRequest.encode(
    PluginRequest.fromPartial({
      requestId: "0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
      request: {
        $case: "toolCall",
        value: {
          toolName,
          arguments: args,
          callerPlugin: "transport.stdio",
          sessionId: "0197a1b2-0000-7e5f-8a9b-0c1d2e3f4a5b",
        },
      },
    }),
  ).finish();
}

/** A request for a plugin that serves HTTP, with {@link TOOL_ARGUMENTS} as its body. */
export function httpCall(route: string, method = "POST"): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify(TOOL_ARGUMENTS));
  const headers = [{ name: "content-type", value: "application/json" }];
  const value = { route, method, path: "/items?x=1", headers, body };
  return PluginRequest.encode(
    PluginRequest.fromPartial({ requestId: "0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", request: { $case: "http", value } }),
  ).finish();
}

/** A tool call as they are in practice: ten arguments, 616 bytes on the wire. */
export const TOOL_CALL: Uint8Array = toolCall("get_feature", TOOL_ARGUMENTS);

/** A tool call of nearly the largest size that a frame may have. */
export function bulkCall(toolName: string): Uint8Array {
  return toolCall(toolName, { text: "x".repeat(BULK_BYTES) });
}

/** 16 MiB less what the envelope and the hub's own context need. */
export const BULK_BYTES = 16 * 1024 * 1024 - 4_096;

/** A tool's answer without its request id, with a text of so many bytes. */
export function echoResult(bytes: number): Uint8Array {
  return PluginResponse.encode({
    requestId: "",
    response: {
      $case: "toolCall",
      value: { success: true, result: { text: "x".repeat(bytes) }, errorCode: "", errorMessage: "" },
    },
    error: undefined,
  }).finish();
}

/** The answer to {@link TOOL_CALL}, without its request id. */
export const ECHO_RESULT: Uint8Array = echoResult(500);
