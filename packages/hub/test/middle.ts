import { parseConfig, requireConfig } from "@orchestrator/config";
import { PluginRequest, PluginResponse, type ToolDefinition } from "@orchestrator/protocol";
import { SupervisedPlugin } from "@orchestrator/supervisor";
import { type CallId, type Link, LinkPeer, memoryLinkPair } from "@orchestrator/transport";
import { onTestFinished } from "vitest";
import { CallLog } from "../src/call-log.ts";
import { DeadlineWheel } from "../src/deadline-wheel.ts";
import { Dispatcher } from "../src/dispatcher.ts";
import { HubLog } from "../src/hub-log.ts";
import { PluginEntry } from "../src/plugin-entry.ts";
import { Port } from "../src/port.ts";
import { Routes } from "../src/routes.ts";

const NO_TOOL: ToolDefinition = {
  name: "t",
  description: "",
  inputSchema: undefined,
  streaming: true,
  outputSchema: undefined,
  title: "",
  annotations: undefined,
};

type Answer = (link: Link, call: CallId, request: PluginRequest) => void;
export type Member = NonNullable<PluginResponse["response"]>;

/** A dispatcher between an operator and one plugin, over links in memory; the plugin answers as `answer` says. */
export class Middle {
  readonly routes = new Routes();
  readonly wheel = new DeadlineWheel();
  readonly entry: PluginEntry;
  readonly dispatcher: Dispatcher;
  answer: Answer = () => {};
  cancelled = 0;
  /** The caller's end, and the plugin's. */
  caller!: LinkPeer;
  plugin!: Link;
  #underWay: (() => number)[] = [];

  constructor(config: Record<string, unknown> = {}) {
    const text = JSON.stringify({ plugins: [{ id: "p", binary: "x", ...config }] });
    const [plugin] = requireConfig(parseConfig(text, { path: "/plugins.yaml", home: "/" })).plugins;
    const never = () => Promise.reject(new Error("is not started here"));
    const supervised = new SupervisedPlugin({ id: "p", launch: never, attach: never, onState: () => {} });
    this.entry = new PluginEntry(plugin!, supervised);
    this.entry.offer = { tools: [NO_TOOL], prompts: [], storage: [], ai: [], http: [] };
    this.routes.rebuild([this.entry]);
    const { routes, wheel } = this;
    this.dispatcher = new Dispatcher({
      routes,
      wheel,
      calls: new CallLog(),
      log: new HubLog(),
      rules: [],
      local: (port, call, _payload, peek) => port.reply(call, encode(peek.requestId, undefined), true),
    });
    this.connectCaller();
    this.connectPlugin();
    onTestFinished(() => wheel.close());
  }

  connectCaller(): void {
    const peer = new LinkPeer();
    memoryLinkPair({ accept: [peer.accept, (link) => this.#port(link, false)] });
    this.caller = peer;
  }

  /** One that the plugin made itself, besides the one that the hub calls it on. */
  connectAsPlugin(): LinkPeer {
    const peer = new LinkPeer();
    memoryLinkPair({ accept: [peer.accept, (link) => this.#port(link, true)] });
    return peer;
  }

  connectPlugin(): void {
    const [link] = memoryLinkPair({
      accept: [
        (own) => ({
          request: (call, payload) => this.answer(own, call, PluginRequest.decode(payload)),
          message: () => {},
          cancelled: () => {
            this.cancelled += 1;
          },
          drained: () => {},
          closed: () => {},
        }),
        (own) => {
          const port = this.#port(own, true);
          this.entry.link = port;
          return port;
        },
      ],
    });
    this.plugin = link;
  }

  /** Whatever is still held for calls. */
  get held() {
    const { inFlight } = this.entry;
    const ports = this.#underWay.reduce((sum, count) => sum + count(), 0);
    return {
      calls: inFlight.calls,
      bytes: inFlight.bytes,
      counted: this.dispatcher.counts.inFlight,
      ports,
      deadlines: this.wheel.size,
      caller: this.caller.openCalls,
    };
  }

  #port(link: Link, isPlugin: boolean): Port {
    const caller = isPlugin ? this.entry.caller : ({ id: "operator", kind: "operator" } as const);
    const port: Port = new Port(link, caller, isPlugin ? this.entry : undefined, {
      request: (from, call, payload, last) => this.dispatcher.request(from, call, payload, last),
      portClosed: () => {
        if (this.entry.link === port) this.entry.link = undefined;
      },
      portFailed: () => {},
    });
    this.#underWay.push(() => port.underWay);
    return port;
  }
}

export const NOTHING_HELD = { calls: 0, bytes: 0, counted: 0, ports: 0, deadlines: 0, caller: 0 };

export function encode(requestId: string, response: Member | undefined): Uint8Array {
  return PluginResponse.encode(PluginResponse.fromPartial({ requestId, response })).finish();
}

export const tool = (success = true): Member => ({
  $case: "toolCall",
  value: { success, result: undefined, errorCode: "", errorMessage: "" },
});
export const chunk = (bytes: number): Member => ({
  $case: "streamChunk",
  value: { streamId: "s", sequence: 0, data: new Uint8Array(bytes), contentType: "" },
});

let ids = 0;
export function request(isStream: boolean, timeoutMs = 0, streamId = `s${ids}`): Uint8Array {
  ids += 1;
  const value = {
    toolName: "t",
    arguments: { n: ids },
    callerPlugin: "",
    traceParent: "",
    provider: "",
    sessionId: "",
  };
  const member = isStream
    ? ({ $case: "streamStart", value: { ...value, streamId } } as const)
    : ({ $case: "toolCall", value } as const);
  const context = { timeoutMs, traceParent: "", caller: "", acceptsCalls: false, wantsProgress: true };
  // Ids that lie in the store, and such as are too long for it.
  const requestId = `${ids}`.padEnd(ids % 5 === 0 ? 80 : 36, "-");
  return PluginRequest.encode(PluginRequest.fromPartial({ requestId, request: member, context })).finish();
}

export const cancelOf = (streamId: string) =>
  PluginRequest.encode(
    PluginRequest.fromPartial({ requestId: "c", request: { $case: "streamCancel", value: { streamId } } }),
  ).finish();
