import type { CapabilityKind, PolicyRule } from "@orchestrator/config";
import {
  DEFAULT_STORAGE_TYPE,
  ErrorCode,
  errorResponse,
  HubError,
  peekRequest,
  RequestKind,
  type RequestPeek,
  spliceRequest,
} from "@orchestrator/protocol";
import type { CallId } from "@orchestrator/transport";
import type { CallLog } from "./call-log.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import type { HubLog } from "./hub-log.ts";
import { callPeer } from "./local-call.ts";
import type { PluginEntry } from "./plugin-entry.ts";
import { type Decision, decide, NO_NEEDS } from "./policy.ts";
import type { Port } from "./port.ts";
import { RelayedCall, type RelayOwner } from "./relayed-call.ts";
import { longName, MAX_NAME_LENGTH, renamed } from "./request-names.ts";
import type { Route, Routes } from "./routes.ts";
import { SpanSource } from "./trace.ts";

/** The longest deadline that a caller may ask for. */
const MAX_TIMEOUT_MS = 86_400_000;
/** A stream whose caller set no deadline may be silent this long. */
const STREAM_IDLE_MS = 300_000;

/** Answers what is addressed to the hub itself. */
export type LocalAnswer = (port: Port, call: CallId, payload: Uint8Array, peek: RequestPeek) => void;

export interface DispatcherOptions {
  readonly routes: Routes;
  readonly wheel: DeadlineWheel;
  readonly calls: CallLog;
  readonly log: HubLog;
  readonly rules: readonly PolicyRule[];
  readonly local: LocalAnswer;
}

export interface CallCounts {
  total: number;
  inFlight: number;
  /** By error code. */
  readonly failed: Map<string, number>;
}

/** Takes every request that reaches the hub, decides where it goes and whether it may, and sends it on its way. */
export class Dispatcher implements RelayOwner {
  readonly counts: CallCounts = { total: 0, inFlight: 0, failed: new Map() };
  readonly #options: DispatcherOptions;
  readonly #spans = new SpanSource();
  /** Streams under way by caller and stream id: a cancel may come on any connection of the caller. */
  readonly #streams = new Map<string, RelayedCall>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  request(port: Port, call: CallId, payload: Uint8Array, last: boolean): void {
    if (!last) port.link.credit(call, payload.length);
    let peek: RequestPeek;
    try {
      peek = peekRequest(payload);
    } catch (reason) {
      const error = HubError.from(reason, ErrorCode.Protocol);
      this.#options.log.write("warn", "hub", `Refused a request of "${port.caller.id}": ${error.message}`);
      port.reply(call, errorResponse(RequestKind.None, "", error), true);
      return;
    }
    const tooLong = longName(peek);
    if (tooLong !== undefined) {
      const error = new HubError(
        ErrorCode.InvalidArgument,
        `${tooLong} of the request is longer than ${MAX_NAME_LENGTH} bytes`,
      );
      port.reply(call, errorResponse(peek.kind, "", error), true);
      return;
    }
    if (peek.acceptsCalls) port.acceptsCalls = true;
    const { routes } = this.#options;
    switch (peek.kind) {
      case RequestKind.ToolCall:
        if (peek.provider === "") this.#route(port, call, payload, peek, routes.tool(peek.route), "tool", peek.route);
        else {
          const { route, provider } = routes.providerTool(peek.provider, peek.route);
          const isAi = provider !== "";
          this.#route(port, call, payload, peek, route, isAi ? "ai" : "tool", isAi ? provider : peek.route);
        }
        return;
      case RequestKind.StreamStart:
        this.#route(port, call, payload, peek, routes.tool(peek.route), "tool", peek.route);
        return;
      case RequestKind.PromptGet:
        this.#route(port, call, payload, peek, routes.prompt(peek.route), "prompt", peek.route);
        return;
      case RequestKind.StorageRead:
      case RequestKind.StorageWrite:
      case RequestKind.StorageDelete:
      case RequestKind.StorageList: {
        const type = peek.route === "" ? DEFAULT_STORAGE_TYPE : peek.route;
        this.#route(port, call, payload, peek, routes.storage(type), "storage", type);
        return;
      }
      case RequestKind.StreamCancel:
        this.#streams.get(streamKey(port, peek.streamId))?.cancelByCaller();
        this.#options.local(port, call, payload, peek);
        return;
      default:
        this.#options.local(port, call, payload, peek);
    }
  }

  /** Whether the caller on this port may use a capability; remembered until its rights change. */
  decide(port: Port, kind: CapabilityKind, name: string): Decision {
    let byName = port.decisions.get(kind);
    if (byName === undefined) {
      byName = new Map();
      port.decisions.set(kind, byName);
    }
    const known = byName.get(name);
    if (known !== undefined) return known;
    const decision = decide(port.caller, port.plugin?.needs ?? NO_NEEDS, kind, name, this.#options.rules);
    // A peer that asks for ever new names must not fill the memory.
    if (byName.size > 4_096) byName.clear();
    byName.set(name, decision);
    return decision;
  }

  /** Every call that is under way to a plugin or from a port ends when its link does; the links see to that. */
  finished(call: RelayedCall): void {
    this.#options.wheel.remove(call);
    call.plugin.callsInFlight -= 1;
    this.counts.inFlight -= 1;
    if (call.isStream) this.#streams.delete(streamKey(call.caller, call.streamId));
    const { error } = call.entry;
    if (error !== "") this.counts.failed.set(error, (this.counts.failed.get(error) ?? 0) + 1);
  }

  misbehaved(plugin: PluginEntry, what: string): void {
    this.#options.log.write("warn", plugin.id, `Broke the protocol: answered with ${what}`);
  }

  cancelStream(call: RelayedCall): void {
    // Existing plugins heed only a cancel on another stream, and end that stream without an answer.
    const request = { $case: "streamCancel", value: { streamId: call.streamId } } as const;
    callPeer(call.callee, this.#options.wheel, request, "acknowledgement", 5_000).catch(() => {});
  }

  rearm(call: RelayedCall, afterMs: number): void {
    this.#options.wheel.remove(call);
    this.#options.wheel.add(call, afterMs);
  }

  #route(
    port: Port,
    callerCall: CallId,
    payload: Uint8Array,
    peek: RequestPeek,
    route: Route | undefined,
    kind: CapabilityKind,
    name: string,
  ): void {
    this.counts.total += 1;
    const decision = this.decide(port, kind, name);
    if (!decision.allowed) {
      const what = `"${port.caller.id}" may not use ${kind} "${name}" (${decision.rule})`;
      this.#refuse(port, callerCall, peek, new HubError(ErrorCode.PermissionDenied, what));
      return;
    }
    if (route === undefined) {
      const of = peek.provider === "" ? "" : ` of provider "${peek.provider}"`;
      this.#refuse(
        port,
        callerCall,
        peek,
        new HubError(ErrorCode.NotFound, `No plugin provides ${kind} "${name}"${of}`),
      );
      return;
    }
    const { plugin } = route;
    const callee = plugin.link;
    if (callee === undefined) {
      const what = `Plugin "${plugin.id}" provides ${kind} "${name}" but is ${plugin.supervised.state.name}`;
      this.#refuse(port, callerCall, peek, new HubError(ErrorCode.Unavailable, what));
      return;
    }
    if (plugin.callsInFlight >= plugin.config.maxCallsInFlight) {
      const what = `Plugin "${plugin.id}" has ${plugin.callsInFlight} calls in flight, which is its limit`;
      this.#refuse(port, callerCall, peek, new HubError(ErrorCode.ResourceExhausted, what));
      return;
    }
    const isStream = peek.kind === RequestKind.StreamStart;
    if (isStream && this.#streams.has(streamKey(port, peek.streamId))) {
      const what = `Stream id "${peek.streamId}" of "${port.caller.id}" is in use`;
      this.#refuse(port, callerCall, peek, new HubError(ErrorCode.AlreadyExists, what));
      return;
    }
    this.#relay(port, callerCall, payload, peek, route, callee, `${LABELS[peek.kind] ?? kind} ${name}`);
  }

  #relay(
    port: Port,
    callerCall: CallId,
    payload: Uint8Array,
    peek: RequestPeek,
    route: Route,
    callee: Port,
    name: string,
  ): void {
    const { plugin } = route;
    const isStream = peek.kind === RequestKind.StreamStart;
    const timeoutMs =
      peek.timeoutMs > 0
        ? Math.min(peek.timeoutMs, MAX_TIMEOUT_MS)
        : isStream
          ? STREAM_IDLE_MS
          : plugin.config.callTimeoutMs;
    const span = this.#spans.next(peek.traceParent === "" ? peek.legacyTraceParent : peek.traceParent);
    const startedAt = performance.now();
    const call = new RelayedCall(this, {
      caller: port,
      callerCall,
      callee,
      plugin,
      kind: peek.kind,
      requestId: peek.requestId,
      streamId: peek.streamId,
      wantsProgress: peek.wantsProgress,
      timeoutMs,
      renews: isStream && peek.timeoutMs === 0,
      startedAt,
      entry: {
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        caller: port.caller.id,
        callee: plugin.id,
        name,
        startedAtMs: performance.timeOrigin + startedAt,
        durationUs: -1,
        error: "",
      },
    });
    const bytes = spliceRequest(payload, peek, {
      caller: port.caller.id,
      context: { timeoutMs, traceParent: span.traceParent, wantsProgress: peek.wantsProgress },
      legacyTraceParent: span.traceParent,
      allocate: Buffer.allocUnsafe,
    });
    try {
      // The callee may answer before the caller has ended its side; nothing more of a request is needed than its first message.
      call.calleeCall = callee.link.open(renamed(bytes, peek, route.name), true);
    } catch (reason) {
      this.#refuse(port, callerCall, peek, HubError.from(reason, ErrorCode.Unavailable));
      return;
    }
    plugin.callsInFlight += 1;
    plugin.callsTotal += 1;
    this.counts.inFlight += 1;
    port.attach(callerCall, call);
    callee.attach(call.calleeCall, call);
    if (isStream) this.#streams.set(streamKey(port, peek.streamId), call);
    this.#options.calls.add(call.entry);
    this.#options.wheel.add(call, timeoutMs);
  }

  #refuse(port: Port, call: CallId, peek: RequestPeek, error: HubError): void {
    this.counts.failed.set(error.code, (this.counts.failed.get(error.code) ?? 0) + 1);
    port.reply(call, errorResponse(peek.kind, peek.requestId, error, { streamId: peek.streamId }), true);
  }
}

const LABELS: Readonly<Record<number, string>> = {
  [RequestKind.ToolCall]: "tool",
  [RequestKind.StreamStart]: "stream",
  [RequestKind.PromptGet]: "prompt",
  [RequestKind.StorageRead]: "storage_read",
  [RequestKind.StorageWrite]: "storage_write",
  [RequestKind.StorageDelete]: "storage_delete",
  [RequestKind.StorageList]: "storage_list",
};

function streamKey(port: Port, streamId: string): string {
  return `${port.caller.id}\u0000${streamId}`;
}
