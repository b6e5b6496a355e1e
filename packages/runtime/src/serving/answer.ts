import { ErrorCode, HubError, LegacyCode } from "@orchestrator/protocol";
import { withRequestId } from "../plugin/catalogue.ts";
import { handlerFailure } from "./failure.ts";
import { serveBoot, serveHealth, serveShutdown } from "./lifecycle.ts";
import { servePromptGet } from "./prompt-get.ts";
import type { ServedCall } from "./served-call.ts";
import type { Serving } from "./serving.ts";
import { serveStorageDelete, serveStorageList, serveStorageRead, serveStorageWrite } from "./storage.ts";
import { serveStreamStart } from "./stream-start.ts";
import { serveToolCall } from "./tool-call.ts";

/** Answers one call, whatever happens on the way. Never throws, and leaves no promise that rejects. */
export function answer(call: ServedCall, serving: Serving): void {
  try {
    const done = dispatch(call, serving);
    if (done instanceof Promise) done.catch((thrown: unknown) => failed(call, thrown, serving));
  } catch (thrown) {
    failed(call, thrown, serving);
  }
}

function failed(call: ServedCall, thrown: unknown, serving: Serving): void {
  const { error, isUnexpected } = handlerFailure(thrown);
  if (isUnexpected && call.isOpen) {
    serving.log.error(`Request "${call.request.request?.$case}" failed: ${error.message}`, { error: thrown });
  }
  call.fail(error);
}

function dispatch(call: ServedCall, serving: Serving): void | Promise<void> {
  const { request, requestId } = call.request;
  switch (request?.$case) {
    case "toolCall":
      return serveToolCall(call, request.value, serving);
    case "streamStart":
      return serveStreamStart(call, request.value, serving);
    case "streamCancel":
      serving.cancelStream(request.value.streamId);
      return call.reply(undefined);
    case "promptGet":
      return servePromptGet(call, request.value, serving);
    case "storageRead":
      return serveStorageRead(call, request.value, serving);
    case "storageWrite":
      return serveStorageWrite(call, request.value, serving);
    case "storageDelete":
      return serveStorageDelete(call, request.value, serving);
    case "storageList":
      return serveStorageList(call, request.value, serving);
    case "publish":
      return serving.deliver(request.value, call.request.context?.traceParent ?? "").then(() => call.reply(undefined));
    case "listTools":
      return call.replyEncoded(withRequestId(requestId, serving.catalogue.tools));
    case "listPrompts":
      return call.replyEncoded(withRequestId(requestId, serving.catalogue.prompts));
    case "health":
      return serveHealth(call, serving);
    case "register":
      // Hosts register themselves under the id that the plugin has in their config, which need not be its own.
      return call.reply({ $case: "register", value: { accepted: true, rejectReason: "" } });
    case "boot":
      return serveBoot(call, request.value, serving);
    case "shutdown":
      return serveShutdown(call, request.value, serving);
    case "subscribe": {
      // Existing plugins repeat the subscription and deliver nothing here: events go through the hub.
      const { subscriptionId, topic } = request.value;
      const nothing = { eventType: "", payload: undefined, sourcePlugin: "", timestamp: undefined };
      return call.reply({ $case: "eventDelivery", value: { subscriptionId, topic, ...nothing } });
    }
    case "unsubscribe":
      return call.reply(undefined);
    default: {
      const asked = request === undefined ? "The request asks nothing" : `A plugin does not answer "${request.$case}"`;
      call.fail(new HubError(ErrorCode.Unimplemented, asked), LegacyCode.UnknownRequest);
    }
  }
}
