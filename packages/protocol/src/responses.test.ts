import { describe, expect, it } from "vitest";
import { RequestKind } from "./constants.ts";
import { peekResponse } from "./envelope/peek-response.ts";
import { ErrorCode, HubError } from "./errors.ts";
import { PluginResponse } from "./messages.ts";
import { type ErrorResponseOptions, errorResponse, LegacyCode, legacyCode } from "./responses.ts";
import { fromWireError } from "./wire-errors.ts";

const failure = new HubError(ErrorCode.Unavailable, 'Cannot reach plugin "x"');

function answer(kind: number, error = failure, options?: ErrorResponseOptions) {
  return PluginResponse.decode(errorResponse(kind, "r1", error, options));
}

describe("errorResponse", () => {
  it("answers every kind with its id, and with the error for peers that know it", () => {
    for (const kind of Object.values(RequestKind)) {
      const bytes = errorResponse(kind, "r1", failure);
      const response = PluginResponse.decode(bytes);
      expect(response.requestId).toBe("r1");
      const error = fromWireError(response.error!);
      expect([error.code, error.message, error.retryable]).toEqual([failure.code, failure.message, true]);
      expect(peekResponse(bytes).errorEnd).toBeGreaterThan(0);
    }
  });

  it("borrows tool_call for tools, for what nobody answers, and for kinds without a shape of their own", () => {
    for (const kind of [
      RequestKind.ToolCall,
      RequestKind.None,
      RequestKind.StreamCancel,
      RequestKind.Publish,
      RequestKind.Control,
      99,
    ]) {
      expect(answer(kind).response).toMatchObject({
        $case: "toolCall",
        value: { success: false, result: undefined, errorCode: "routing_error", errorMessage: failure.message },
      });
    }
  });

  it("shapes prompt and storage failures as existing peers expect", () => {
    expect(answer(RequestKind.PromptGet).response).toMatchObject({
      $case: "promptGet",
      value: { description: failure.message, messages: [] },
    });
    expect(answer(RequestKind.StorageRead).response).toMatchObject({
      $case: "storageRead",
      value: { content: new Uint8Array(0), metadata: undefined, version: 0 },
    });
    expect(answer(RequestKind.StorageWrite).response).toMatchObject({
      $case: "storageWrite",
      value: { success: false, newVersion: 0, error: failure.message },
    });
    expect(answer(RequestKind.StorageDelete).response).toMatchObject({
      $case: "storageDelete",
      value: { success: false },
    });
    expect(answer(RequestKind.StorageList).response).toMatchObject({ $case: "storageList", value: { entries: [] } });
  });

  it("refuses register and boot with the reason", () => {
    expect(answer(RequestKind.Register).response).toMatchObject({
      $case: "register",
      value: { accepted: false, rejectReason: failure.message },
    });
    expect(answer(RequestKind.Boot).response).toMatchObject({
      $case: "boot",
      value: { ready: false, error: failure.message },
    });
  });

  it("ends the stream that was started", () => {
    expect(answer(RequestKind.StreamStart, failure, { streamId: "s", totalChunks: 3 }).response).toMatchObject({
      $case: "streamEnd",
      value: {
        streamId: "s",
        success: false,
        errorCode: "routing_error",
        errorMessage: failure.message,
        totalChunks: 3,
      },
    });
  });

  it.each([
    [ErrorCode.NotFound, "tool_not_found"],
    [ErrorCode.Unavailable, "routing_error"],
    [ErrorCode.StartFailed, "routing_error"],
    [ErrorCode.FrameTooLarge, "routing_error"],
    [ErrorCode.Protocol, "invalid_response"],
    [ErrorCode.Unimplemented, "unknown_request"],
    [ErrorCode.DeadlineExceeded, "deadline_exceeded"],
    [ErrorCode.Cancelled, "cancelled"],
    [ErrorCode.PermissionDenied, "permission_denied"],
    [ErrorCode.ResourceExhausted, "resource_exhausted"],
  ])("says %s as %s", (code, text) => {
    for (const kind of [RequestKind.ToolCall, RequestKind.StreamStart]) {
      expect(answer(kind, new HubError(code, "x")).response).toMatchObject({ value: { errorCode: text } });
    }
    expect(legacyCode(code)).toBe(text);
  });

  it("takes another short code where the caller knows better", () => {
    const options = { legacyCode: LegacyCode.HandlerError };
    expect(answer(RequestKind.ToolCall, failure, options).response).toMatchObject({
      value: { errorCode: "handler_error" },
    });
  });

  it("does not speak of tools where none was asked for", () => {
    const missing = new HubError(ErrorCode.NotFound, "x");
    expect(answer(RequestKind.Unsubscribe, missing).response).toMatchObject({ value: { errorCode: "not_found" } });
  });
});
