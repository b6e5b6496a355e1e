import { describe, expect, it } from "vitest";
import { PluginRequest } from "../messages.ts";
import { peekRequest } from "./peek-request.ts";
import { spliceRequest } from "./splice-request.ts";

const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function toolCall(over: Partial<{ callerPlugin: string; traceParent: string }> = {}): Uint8Array {
  return PluginRequest.encode(
    PluginRequest.fromPartial({
      requestId: "r5",
      request: {
        $case: "toolCall",
        value: { toolName: "echo", arguments: { m: "hi" }, provider: "claude", sessionId: "S", ...over },
      },
    }),
  ).finish();
}

describe("spliceRequest", () => {
  it("stamps the verified caller over a claimed one, and adds the hub's context", () => {
    const bytes = toolCall({ callerPlugin: "somebody.else" });
    const spliced = spliceRequest(bytes, peekRequest(bytes), {
      caller: "tools.real",
      context: { timeoutMs: 1500, traceParent, wantsProgress: true },
    });
    expect(PluginRequest.decode(spliced)).toEqual({
      ...PluginRequest.decode(toolCall({ callerPlugin: "tools.real" })),
      context: {
        timeoutMs: 1500,
        traceParent,
        caller: "tools.real",
        acceptsCalls: false,
        wantsProgress: true,
        _unknownFields: {},
      },
    });
  });

  it("replaces the id and the legacy trace where asked, and leaves room in front", () => {
    const bytes = toolCall({ traceParent: "old" });
    const spliced = spliceRequest(bytes, peekRequest(bytes), {
      caller: "",
      context: undefined,
      requestId: "another id",
      legacyTraceParent: traceParent,
      headroom: 9,
    });
    expect(spliced.byteOffset).toBe(9);
    const decoded = PluginRequest.decode(spliced);
    expect(decoded.requestId).toBe("another id");
    expect(decoded.context).toBeUndefined();
    expect(decoded.request).toEqual(PluginRequest.decode(toolCall({ traceParent })).request);
  });
});
