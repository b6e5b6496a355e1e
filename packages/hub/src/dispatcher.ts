import type { CapabilityKind, PolicyRule } from "@orchestrator/config";
import {
  ErrorCode,
  errorResponse,
  HubError,
  peekRequest,
  RequestKind,
  type RequestPeek,
  StampedRequest,
} from "@orchestrator/protocol";
import { type CallId, openFrom, payloadOf } from "@orchestrator/transport";
import type { CallLog } from "./call-log.ts";
import { timeoutOf } from "./call-timeout.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import { DeniedLog } from "./denied-log.ts";
import type { HubLog } from "./hub-log.ts";
import { callPeer } from "./local-call.ts";
import { LABELS, lookUp } from "./look-up.ts";
import type { PluginEntry } from "./plugin-entry.ts";
import { type Decision, decide, NO_NEEDS } from "./policy.ts";
import type { Port } from "./port.ts";
import { RelayedCall, type RelayOwner, TOOL_FAILED } from "./relayed-call.ts";
import { RequestIdStore } from "./request-id-store.ts";
import { longName, MAX_NAME_LENGTH, renamed } from "./request-names.ts";
import type { Routes } from "./routes.ts";
import { Streams } from "./streams.ts";
import { WaitingCall } from "./supervision/waiting-call.ts";
import { Target } from "./targets.ts";
import { SpanSource } from "./trace.ts";

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
  readonly ids = new RequestIdStore();
  /** Where refused calls are told of. */
  readonly denied: DeniedLog;
  readonly #spans = new SpanSource();
  readonly #request = new StampedRequest();
  readonly #streams = new Streams();

  constructor(options: DispatcherOptions) {
    const { calls, log } = options;
    this.#options = options;
    this.denied = new DeniedLog({
      log,
      record: (caller, name) => {
        const ticket = calls.begin(this.#spans, caller, "", name, performance.now());
        calls.end(ticket, 0, ErrorCode.PermissionDenied);
      },
    });
  }

  request(port: Port, call: CallId, payload: Uint8Array, last: boolean): void {
    if (!last) port.link.credit(call, payload.length);
    let peek: RequestPeek;
    try {
      peek = peekRequest(payload);
    } catch (reason) {
      const error = HubError.from(reason, ErrorCode.Protocol);
      const { id } = port.caller;
      this.#options.log.writeAbout(id, "warn", "hub", `Refused a request of "${id}": ${error.message}`);
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
    switch (peek.kind) {
      case RequestKind.ToolCall:
      case RequestKind.StreamStart:
      case RequestKind.PromptGet:
      case RequestKind.StorageRead:
      case RequestKind.StorageWrite:
      case RequestKind.StorageDelete:
      case RequestKind.StorageList:
      case RequestKind.Http:
        this.#route(port, call, payload, peek);
        return;
      case RequestKind.StreamCancel:
        this.#streams.cancel(port, peek.streamId);
        this.#options.local(port, call, payload, peek);
        return;
      default:
        this.#options.local(port, call, payload, peek);
    }
  }

  /** Whether the caller on this port may use a capability. */
  decide(port: Port, kind: CapabilityKind, name: string): Decision {
    return decide(port.caller, port.plugin?.needs ?? NO_NEEDS, kind, name, this.#options.rules);
  }

  /** Every call that is under way to a plugin or from a port ends when its link does; the links see to that. */
  finished(call: RelayedCall, error: string): void {
    const { wheel, calls } = this.#options;
    wheel.remove(call);
    call.plugin.inFlight.end(call.target.share, call.bytes);
    this.counts.inFlight -= 1;
    if (call.idPlace >= 0) this.ids.release(call.idPlace);
    if (call.isStream) this.#streams.remove(call.caller, call.streamId);
    const nowMs = performance.now();
    const isProper = error === "" || error === TOOL_FAILED;
    const { circuit } = call.target;
    if (isProper) circuit.answeredAtMs = nowMs;
    if (circuit.failures > 0) call.plugin.circuits.ended(call, isProper, nowMs);
    calls.end(call.ticket, (nowMs - call.startedAt) * 1_000, error);
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

  #route(port: Port, callerCall: CallId, payload: Uint8Array, peek: RequestPeek): void {
    this.counts.total += 1;
    const version = this.#options.routes.version + (port.plugin?.rightsVersion ?? 0);
    const known =
      peek.provider === "" ? port.targets.find(peek.kind, payload, peek.routeStart, peek.routeEnd, version) : undefined;
    const target = known ?? this.#findTarget(port, payload, peek);
    if (target instanceof HubError) this.#refuse(port, callerCall, peek, target);
    else this.#send(port, callerCall, payload, peek, target, 0);
  }

  /** @param waitedMs how much of the deadline is used up already */
  #send(
    port: Port,
    callerCall: CallId,
    payload: Uint8Array,
    peek: RequestPeek,
    target: Target,
    waitedMs: number,
  ): void {
    const { plugin } = target;
    const taken = peek.kind === RequestKind.StreamStart ? this.#streams.refusal(port, peek.streamId) : undefined;
    if (taken !== undefined) {
      this.#refuse(port, callerCall, peek, taken);
      return;
    }
    const callee = plugin.link;
    if (callee === undefined) {
      if (waitedMs === 0 && this.#wait(port, callerCall, payload, peek, target)) return;
      const what = `Plugin "${plugin.id}" provides ${target.label} but is ${plugin.supervised.state.name}`;
      this.#refuse(port, callerCall, peek, new HubError(ErrorCode.Unavailable, what));
      return;
    }
    const { circuit } = target;
    const hopeless = circuit.isOpen ? plugin.circuits.refusal(circuit, performance.now()) : undefined;
    const refusal = hopeless ?? plugin.inFlight.refusal(target.share, payload.length);
    if (refusal !== undefined) {
      this.#refuse(port, callerCall, peek, refusal);
      return;
    }
    this.#relay(port, callerCall, payload, peek, target, callee, waitedMs);
  }

  /** Lets a call wait until its plugin serves, if the plugin is one that a call starts. @returns false where it is not */
  #wait(port: Port, callerCall: CallId, payload: Uint8Array, peek: RequestPeek, target: Target): boolean {
    const { plugin, share } = target;
    if (plugin.inFlight.refusal(share, payload.length) !== undefined) return false;
    const started = plugin.waker?.();
    if (started === undefined) return false;
    // It counts as under way from now on, so that no more calls wait than the plugin may have.
    plugin.inFlight.begin(share, payload.length);
    const isStream = peek.kind === RequestKind.StreamStart;
    const waiting = new WaitingCall({
      port,
      call: callerCall,
      plugin,
      label: target.label,
      wheel: this.#options.wheel,
      timeoutMs: timeoutOf(peek, plugin),
      started,
      go: (waitedMs) => this.#send(port, callerCall, payload, peek, target, Math.max(1, waitedMs)),
      refuse: (error) => this.#refuse(port, callerCall, peek, error),
      isStream,
      over: () => {
        plugin.inFlight.end(share, payload.length);
        if (isStream) this.#streams.remove(port, peek.streamId);
      },
    });
    if (isStream) this.#streams.add(port, peek.streamId, waiting);
    return true;
  }

  /** The long way, for the first request of a name; what it finds is remembered. */
  #findTarget(port: Port, payload: Uint8Array, peek: RequestPeek): Target | HubError {
    const { kind, name, route } = lookUp(this.#options.routes, peek);
    const decision = this.decide(port, kind, name);
    if (!decision.allowed) {
      this.#place(payload, peek);
      this.denied.denied(port.caller, kind, name, decision.rule);
      const what = `"${port.caller.id}" may not use ${kind} "${name}" (${decision.rule})`;
      return new HubError(ErrorCode.PermissionDenied, what);
    }
    if (route === undefined) {
      const of = peek.provider === "" ? "" : ` of provider "${peek.provider}"`;
      return new HubError(ErrorCode.NotFound, `No plugin provides ${kind} "${name}"${of}`);
    }
    const label = `${LABELS[peek.kind] ?? kind} ${name}`;
    const target = new Target(peek.kind, peek.route, route, port.caller, label);
    if (peek.provider === "") port.targets.add(target);
    return target;
  }

  #relay(
    port: Port,
    callerCall: CallId,
    payload: Uint8Array,
    peek: RequestPeek,
    target: Target,
    callee: Port,
    waitedMs: number,
  ): void {
    const { plugin, route } = target;
    const isStream = peek.kind === RequestKind.StreamStart;
    const timeoutMs = Math.max(1, Math.floor(timeoutOf(peek, plugin) - waitedMs));
    const spans = this.#spans;
    this.#place(payload, peek);
    const stamp = target.stamp(timeoutMs, peek.wantsProgress);
    stamp.setTrace(spans.traceParent);
    const request = this.#request;
    request.set(payload, peek, stamp);
    let calleeCall: CallId;
    try {
      // The callee may answer before the caller has ended its side; nothing more of a request is needed than its first message.
      if (target.isRenamed) calleeCall = callee.link.open(renamed(payloadOf(request), route.name), true);
      else calleeCall = openFrom(callee.link, request, true);
    } catch (reason) {
      this.#refuse(port, callerCall, peek, HubError.from(reason, ErrorCode.Unavailable));
      return;
    } finally {
      request.clear();
    }
    const startedAt = performance.now();
    const call = new RelayedCall(this, port, callerCall, callee, target, payload, peek, timeoutMs, startedAt);
    call.calleeCall = calleeCall;
    if (target.circuit.isOpen) target.circuit.begin(call, startedAt);
    if (waitedMs === 0) plugin.inFlight.begin(target.share, payload.length);
    else plugin.inFlight.resume(target.share, payload.length);
    this.counts.inFlight += 1;
    port.attach(callerCall, call);
    callee.attach(calleeCall, call);
    if (isStream) this.#streams.add(port, peek.streamId, call);
    call.ticket = this.#options.calls.begin(spans, port.caller.id, plugin.id, target.label, startedAt);
    this.#options.wheel.add(call, timeoutMs, startedAt);
  }

  /** Gives the request its place in a trace. */
  #place(payload: Uint8Array, peek: RequestPeek): void {
    if (peek.traceParentEnd > 0) this.#spans.next(payload, peek.traceParentAt, peek.traceParentEnd);
    else this.#spans.next(payload, peek.traceAt, peek.traceEnd);
  }

  #refuse(port: Port, call: CallId, peek: RequestPeek, error: HubError): void {
    this.counts.failed.set(error.code, (this.counts.failed.get(error.code) ?? 0) + 1);
    port.reply(call, errorResponse(peek.kind, peek.requestId, error, { streamId: peek.streamId }), true);
  }
}
