import {
  decodeStrictly,
  ErrorCode,
  errorResponse,
  HubError,
  type KvRequest,
  MAX_FRAME_BYTES,
  type PluginManifest,
  PluginRequest,
  PluginResponse,
  RequestKind,
  type RequestPeek,
} from "@orchestrator/protocol";
import type { CallId } from "@orchestrator/transport";
import type { Dispatcher } from "./dispatcher.ts";
import type { EventBus } from "./event-bus.ts";
import { checkEventSize } from "./event-parcel.ts";
import type { HubLog } from "./hub-log.ts";
import type { Listing } from "./listing.ts";
import type { Port } from "./port.ts";

/** Topics under this prefix are the hub's own. */
export const HUB_TOPICS = "orchestrator.";
/** Manifests, subscriptions and commands: all of them are short. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

export interface LocalAnswersOptions {
  readonly listing: Listing;
  readonly events: EventBus;
  readonly log: HubLog;
  readonly dispatcher: () => Dispatcher;
  /** A plugin told its manifest on its own connection. @returns why it is refused, or "" */
  readonly register: (port: Port, manifest: PluginManifest) => string;
  /** Answers operators. */
  readonly control: (port: Port, call: CallId, request: PluginRequest) => void;
  /** Answers questions about entries. */
  readonly kv: (port: Port, call: CallId, requestId: string, request: KvRequest) => void;
  /** Where events for this peer go, at the moment of delivery. */
  readonly eventRoute: (port: Port) => () => Port | undefined;
}

/** Answers what is addressed to the hub itself: registration, health, lists, events. */
export class LocalAnswers {
  readonly #options: LocalAnswersOptions;

  constructor(options: LocalAnswersOptions) {
    this.#options = options;
  }

  answer(port: Port, call: CallId, payload: Uint8Array, peek: RequestPeek): void {
    const { listing } = this.#options;
    switch (peek.kind) {
      case RequestKind.ListTools:
        port.reply(call, listing.toolsResponse(peek.requestId), true);
        return;
      case RequestKind.ListPrompts:
        port.reply(call, listing.promptsResponse(peek.requestId), true);
        return;
      case RequestKind.Health:
        reply(port, call, peek, { $case: "health", value: { status: 1, message: "orchestrator ok", details: {} } });
        return;
      case RequestKind.StreamCancel:
        reply(port, call, peek, undefined);
        return;
      default:
        this.#decoded(port, call, payload, peek);
    }
  }

  #decoded(port: Port, call: CallId, payload: Uint8Array, peek: RequestPeek): void {
    try {
      // Before it is decoded: what it decodes to takes many times its size.
      if (peek.kind === RequestKind.Publish) checkEventSize(peek.route, payload.length);
      else if (payload.length > MAX_REQUEST_BYTES) {
        const what = `A request to the hub itself is ${payload.length} bytes, the limit is ${MAX_REQUEST_BYTES}`;
        throw new HubError(ErrorCode.InvalidArgument, what);
      }
      const message = peek.kind === RequestKind.Kv ? decodeStrictly(payload) : PluginRequest.decode(payload);
      const request = message.request;
      switch (request?.$case) {
        case "register": {
          const rejectReason = this.#options.register(port, request.value);
          const value = { accepted: rejectReason === "", rejectReason };
          reply(port, call, peek, { $case: "register", value });
          return;
        }
        case "subscribe": {
          const { subscriptionId, topic, filters } = request.value;
          this.#allow(port, topic);
          const subscribe = () =>
            this.#options.events.subscribe(subscriberOf(port), {
              name: port.caller.id,
              route: this.#options.eventRoute(port),
              id: subscriptionId,
              topic,
              filters,
              // Its rights may shrink while it listens.
              allows: (heard) => this.#options.dispatcher().decide(port, "event", heard).allowed,
            });
          if (port.plugin?.handover.defers(port, subscribe, payload.length) !== true) subscribe();
          reply(port, call, peek, undefined);
          return;
        }
        case "unsubscribe": {
          const unsubscribe = () => this.#options.events.unsubscribe(subscriberOf(port), request.value.subscriptionId);
          if (port.plugin?.handover.defers(port, unsubscribe, payload.length) !== true) unsubscribe();
          reply(port, call, peek, undefined);
          return;
        }
        case "publish": {
          const { topic } = request.value;
          if (topic.startsWith(HUB_TOPICS)) {
            throw new HubError(
              ErrorCode.PermissionDenied,
              `Topics under "${HUB_TOPICS}" belong to the hub: "${topic}"`,
            );
          }
          if (port.caller.kind === "anonymous") this.#allow(port, topic);
          const nowMs = Date.now();
          const timestamp = { seconds: Math.floor(nowMs / 1000), nanos: (nowMs % 1000) * 1_000_000 };
          this.#options.events.publish({ ...request.value, sourcePlugin: port.caller.id, timestamp });
          reply(port, call, peek, undefined);
          return;
        }
        case "control":
          this.#options.control(port, call, message);
          return;
        case "kv":
          this.#options.kv(port, call, peek.requestId, request.value);
          return;
        default:
          throw new HubError(ErrorCode.Unimplemented, `The hub does not serve request member ${peek.kind}`);
      }
    } catch (reason) {
      const error = HubError.from(reason, ErrorCode.Protocol);
      const { id } = port.caller;
      this.#options.log.writeAbout(id, "warn", "hub", `Refused a request of "${id}": ${error.message}`);
      const unserved = error.code === ErrorCode.Unimplemented;
      port.reply(call, errorResponse(unserved ? RequestKind.None : peek.kind, peek.requestId, error), true);
    }
  }

  #allow(port: Port, topic: string): void {
    const dispatcher = this.#options.dispatcher();
    const decision = dispatcher.decide(port, "event", topic);
    if (decision.allowed) return;
    dispatcher.denied.denied(port.caller, "event", topic, decision.rule);
    throw new HubError(
      ErrorCode.PermissionDenied,
      `"${port.caller.id}" may not hear event "${topic}" (${decision.rule})`,
    );
  }
}

/** A configured plugin is one subscriber however often it connects; every other link is its own. */
function subscriberOf(port: Port): object {
  return port.plugin ?? port;
}

/** Answers a request that the hub serves itself; an answer that no frame can hold becomes an error that says so. */
export function reply(
  port: Port,
  call: CallId,
  peek: { readonly requestId: string },
  response: PluginResponse["response"],
): void {
  const bytes = PluginResponse.encode({ requestId: peek.requestId, response, error: undefined }).finish();
  if (bytes.length <= MAX_FRAME_BYTES) {
    port.reply(call, bytes, true);
    return;
  }
  const what = `The answer is ${bytes.length} bytes, the limit is ${MAX_FRAME_BYTES}. Ask for less`;
  const error = new HubError(ErrorCode.ResourceExhausted, what);
  port.reply(call, errorResponse(RequestKind.None, peek.requestId, error), true);
}
