import { PluginRequest, PluginResponse } from "@orchestrator/protocol";

/** A tool call as they are in practice: ten arguments, 616 bytes on the wire. */
export const TOOL_CALL: Uint8Array = PluginRequest.encode({
  requestId: "0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
  request: {
    $case: "toolCall",
    value: {
      toolName: "get_feature",
      arguments: {
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
      },
      callerPlugin: "transport.stdio",
      traceParent: "",
      provider: "",
      sessionId: "0197a1b2-0000-7e5f-8a9b-0c1d2e3f4a5b",
    },
  },
  context: undefined,
}).finish();

/** The answer without its request id. */
export const ECHO_RESULT: Uint8Array = PluginResponse.encode({
  requestId: "",
  response: {
    $case: "toolCall",
    value: { success: true, result: { text: "x".repeat(500) }, errorCode: "", errorMessage: "" },
  },
  error: undefined,
}).finish();
