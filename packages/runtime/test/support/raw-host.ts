import { type HubError, PluginRequest, PluginResponse } from "@orchestrator/protocol";
import { type CallId, type Link, type LinkHandler, memoryLinkPair } from "@orchestrator/transport";
import type { PluginDefinition } from "../../src/definition.ts";
import { createLog } from "../../src/log.ts";
import { compilePlugin } from "../../src/plugin/compile.ts";
import { PluginRuntime } from "../../src/plugin/plugin-runtime.ts";

type Request = PluginRequest["request"];

/** One call as the wire shows it. */
export interface RawCall {
  readonly id: CallId;
  /** Messages so far. */
  readonly messages: PluginResponse[];
  /** Resolves with the last message; rejects when the call is cancelled. */
  readonly last: Promise<PluginResponse>;
  /** Resolves once `count` messages are here. */
  received(count: number): Promise<void>;
}

/** A host that sends whatever a test wants and shows what comes back, undigested. */
export interface RawHost {
  readonly link: Link;
  readonly runtime: PluginRuntime;
  readonly logs: string[];
  /** Requests that the plugin sent, in order. */
  readonly asked: PluginRequest[];
  open(
    request: Request,
    extra?: { requestId?: string; context?: Partial<PluginRequest["context"]>; last?: boolean },
  ): RawCall;
  openBytes(payload: Uint8Array, last?: boolean): RawCall;
  /** Opens and waits for the last message. */
  ask(request: Request, extra?: Parameters<RawHost["open"]>[1]): Promise<PluginResponse>;
  send(call: RawCall, request: Request): void;
  /** Reads on after `stall`. */
  read(): void;
}

export interface RawHostOptions {
  /** Answers the plugin's requests; without it, or where it returns undefined, they are acknowledged. */
  readonly answer?: (
    request: PluginRequest,
  ) => (Omit<PluginResponse, "requestId" | "error"> & Partial<PluginResponse>) | undefined;
  /** Does not read on, so that windows fill up, until `read` is called. */
  readonly stall?: boolean;
  /** Only serves; makes no calls of its own and is not registered. */
  readonly serveOnly?: boolean;
}

/** Runs a definition and a raw host in one process. */
export function rawHost(definition: PluginDefinition, options: RawHostOptions = {}): RawHost {
  const logs: string[] = [];
  const runtime = new PluginRuntime(
    compilePlugin(definition),
    createLog((line) => logs.push(line.trimEnd())),
  );
  const asked: PluginRequest[] = [];
  const calls = new Map<CallId, Entry>();
  let owed: (() => void)[] | undefined = options.stall ? [] : undefined;
  let link!: Link;
  const handler: LinkHandler = {
    request(id, payload) {
      const request = PluginRequest.decode(payload);
      asked.push(request);
      const answer = options.answer?.(request) ?? { response: undefined };
      link.send(
        id,
        PluginResponse.encode({ requestId: request.requestId, error: undefined, ...answer }).finish(),
        true,
      );
    },
    message(id, payload, last) {
      const call = calls.get(id);
      if (call === undefined) return;
      const credit = () => link.credit(id, payload.byteLength);
      if (!last && owed !== undefined) owed.push(credit);
      else if (!last) credit();
      call.put(PluginResponse.decode(payload), last);
    },
    cancelled: (id, error) => calls.get(id)?.fail(error),
    drained: () => {},
    closed: () => {},
  };
  [link] = memoryLinkPair({
    names: ["orchestrator", definition.id],
    accept: [() => handler, options.serveOnly ? (accepted) => runtime.server.accept(accepted) : runtime.accept],
  });
  const openBytes = (payload: Uint8Array, last = true) => {
    const id = link.open(payload, last);
    const entry = new Entry(id);
    calls.set(id, entry);
    return entry;
  };
  const open: RawHost["open"] = (request, { requestId = "r", context, last = true } = {}) => {
    const full = { timeoutMs: 0, traceParent: "", caller: "", acceptsCalls: false, wantsProgress: false, ...context };
    const message = { requestId, request, context: context === undefined ? undefined : full };
    return openBytes(PluginRequest.encode(message).finish(), last);
  };
  return {
    link,
    runtime,
    logs,
    asked,
    open,
    openBytes,
    read() {
      for (const credit of owed ?? []) credit();
      owed = undefined;
    },
    ask: (request, extra) => open(request, extra).last,
    send(call, request) {
      link.send(call.id, PluginRequest.encode({ requestId: "", request, context: undefined }).finish(), true);
    },
  };
}

class Entry implements RawCall {
  readonly id: CallId;
  readonly messages: PluginResponse[] = [];
  readonly #last = Promise.withResolvers<PluginResponse>();
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  constructor(id: CallId) {
    this.id = id;
    this.#last.promise.catch(() => {});
  }

  get last(): Promise<PluginResponse> {
    return this.#last.promise;
  }

  put(response: PluginResponse, last: boolean): void {
    this.messages.push(response);
    for (const { count, resolve } of this.#waiting) if (this.messages.length >= count) resolve();
    if (last) this.#last.resolve(response);
  }

  fail(error: HubError): void {
    this.#last.reject(error);
  }

  received(count: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.messages.length >= count) resolve();
      else this.#waiting.push({ count, resolve });
    });
  }
}

/** The tool_call request that most tests need. */
export function toolCall(toolName: string, args?: Record<string, unknown>, extra: object = {}): Request {
  const value = { toolName, arguments: args, callerPlugin: "", traceParent: "", provider: "", sessionId: "", ...extra };
  return { $case: "toolCall", value };
}

export function streamStart(toolName: string, streamId = "s", args?: Record<string, unknown>): Request {
  return { $case: "streamStart", value: { streamId, toolName, arguments: args, callerPlugin: "" } };
}
