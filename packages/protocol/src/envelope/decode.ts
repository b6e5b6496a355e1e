import { BinaryReader } from "@bufbuild/protobuf/wire";
import { ErrorCode, HubError } from "../errors.ts";
import { PluginRequest, PluginResponse } from "../messages.ts";
import { peekRequest } from "./peek-request.ts";
import { peekResponse } from "./peek-response.ts";
import type { RequestPeek } from "./request-peek.ts";
import { protocolError, readText } from "./wire.ts";

/** By the name of the oneof member: its number, which is the kind of a peek. */
const REQUEST_NUMBERS: Readonly<Record<NonNullable<PluginRequest["request"]>["$case"], number>> = {
  register: 10,
  boot: 11,
  shutdown: 12,
  health: 13,
  toolCall: 20,
  listTools: 21,
  listPrompts: 22,
  promptGet: 23,
  storageRead: 30,
  storageWrite: 31,
  storageDelete: 32,
  storageList: 33,
  streamStart: 40,
  streamCancel: 41,
  subscribe: 50,
  unsubscribe: 51,
  publish: 52,
  control: 210,
  kv: 220,
  http: 230,
};

/**
 * Decodes a request, and makes sure that it says what a peek of the same bytes says. The generated decoder alone follows a
 * nested length beyond the message that holds it, and could so be led to another tool name than the one that was authorised.
 * @throws {HubError} `PROTOCOL` for bytes that do not decode, that a peek refuses, or about which the two disagree
 */
export function decodeRequest(bytes: Uint8Array): PluginRequest {
  const peek = peekRequest(bytes);
  const message = decodeWith(PluginRequest.decode, bytes);
  const { request } = message;
  const kind = request === undefined ? 0 : REQUEST_NUMBERS[request.$case];
  if (kind !== peek.kind || message.requestId !== peek.requestId || !sameNames(request, peek)) {
    throw protocolError("a nested length reaches beyond its message", peek.memberStart);
  }
  return message;
}

/**
 * Decodes a request in which text is what was sent, or nothing is: in keys, two that are no UTF-8 would otherwise become one.
 * @throws {HubError} `PROTOCOL`
 */
export function decodeStrictly(bytes: Uint8Array): PluginRequest {
  const reader = new BinaryReader(bytes, (text) => readText(text, 0, text.length));
  return decodeWith(() => PluginRequest.decode(reader), bytes);
}

/**
 * Decodes a response as {@link decodeRequest} does a request.
 * @throws {HubError} `PROTOCOL`
 */
export function decodeResponse(bytes: Uint8Array): PluginResponse {
  const peek = peekResponse(bytes);
  const message = decodeWith(PluginResponse.decode, bytes);
  if ((message.response === undefined) !== (peek.kind === 0) || message.requestId !== peek.requestId) {
    throw protocolError("a nested length reaches beyond its message", peek.bodyStart);
  }
  return message;
}

function decodeWith<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T {
  try {
    return decode(bytes);
  } catch (reason) {
    throw HubError.from(reason, ErrorCode.Protocol);
  }
}

function sameNames(request: PluginRequest["request"], peek: RequestPeek): boolean {
  switch (request?.$case) {
    case "toolCall":
      return (
        request.value.toolName === peek.route &&
        request.value.provider === peek.provider &&
        request.value.callerPlugin === peek.claimedCaller
      );
    case "promptGet":
      return request.value.promptName === peek.route;
    case "storageRead":
    case "storageWrite":
    case "storageDelete":
    case "storageList":
      return request.value.storageType === peek.route;
    case "streamStart":
      return (
        request.value.toolName === peek.route &&
        request.value.streamId === peek.streamId &&
        request.value.callerPlugin === peek.claimedCaller
      );
    case "streamCancel":
      return request.value.streamId === peek.streamId;
    case "subscribe":
      return request.value.topic === peek.route && request.value.subscriptionId === peek.subscriptionId;
    case "unsubscribe":
      return request.value.subscriptionId === peek.subscriptionId;
    case "publish":
      return request.value.topic === peek.route && request.value.sourcePlugin === peek.claimedCaller;
    default:
      return true;
  }
}
