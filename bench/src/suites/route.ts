import { PluginRequest, PluginResponse, peekRequest } from "@orchestrator/protocol";
import type { Link, PayloadSource } from "@orchestrator/transport";
import { CallLog } from "../../../packages/hub/src/call-log.ts";
import { Circuits } from "../../../packages/hub/src/circuits.ts";
import { DeadlineWheel } from "../../../packages/hub/src/deadline-wheel.ts";
import { Dispatcher } from "../../../packages/hub/src/dispatcher.ts";
import { HubLog } from "../../../packages/hub/src/hub-log.ts";
import { InFlight } from "../../../packages/hub/src/in-flight.ts";
import type { Offer, PluginEntry } from "../../../packages/hub/src/plugin-entry.ts";
import { Port } from "../../../packages/hub/src/port.ts";
import { Routes } from "../../../packages/hub/src/routes.ts";
import { compare } from "../compare.ts";
import { ECHO_RESULT, TOOL_ARGUMENTS, TOOL_CALL, toolCall } from "../envelope.ts";
import type { Suite } from "../suite.ts";

/** A link to nowhere: what is opened on it is answered at the word of the benchmark. */
class NullLink {
  readonly peer = "";
  readonly carrier = "memory";
  readonly remoteAddress = "";
  readonly closed = new Promise<void>(() => {});
  readonly isOpen = true;
  sent = 0;
  #next = 2;
  readonly #buffer = new Uint8Array(64 * 1024);

  open(): number {
    this.#next += 2;
    return this.#next;
  }

  get lastOpened(): number {
    return this.#next;
  }

  /** As a carrier does it that has a buffer for what it sends. */
  openFrom(source: PayloadSource): number {
    source.writeTo(this.#buffer, 0);
    this.#next += 2;
    return this.#next;
  }

  send(): boolean {
    this.sent += 1;
    return true;
  }

  cancel(): void {}
  credit(): void {}
  abort(): void {}
  async close(): Promise<void> {}
}

/** The hub's own router with so many plugins and tools, between two links to nowhere. */
function router(plugins: number, toolsEach: number) {
  const routes = new Routes();
  const calleeLink = new NullLink();
  const owner = { request: () => {}, portClosed: () => {}, portFailed: () => {} };
  const port = (link: NullLink) =>
    new Port(link as unknown as Link, { id: "bench", kind: "gateway" }, undefined, owner);
  const callee = port(calleeLink);
  const entries = Array.from({ length: plugins }, (_, index) => {
    const tools = Array.from({ length: toolsEach }, (_, tool) => ({ name: `plugin_${index}_tool_${tool}` }));
    return plugin(index, { tools, prompts: [], storage: [], ai: [], http: [] } as unknown as Offer, callee);
  });
  routes.rebuild(entries);
  const dispatcher = new Dispatcher({
    routes,
    wheel: new DeadlineWheel(),
    calls: new CallLog(),
    log: new HubLog(),
    rules: [],
    local: () => {},
  });
  const callerLink = new NullLink();
  return { dispatcher, routes, caller: port(callerLink), callerLink, callee, calleeLink };
}

function plugin(index: number, offer: Offer, link: Port): PluginEntry {
  const config = { maxCallsInFlight: 1_024, callTimeoutMs: 30_000, circuit: { failures: 10, coolDownMs: 1_000 } };
  const rest = { outsideName: (_: string, name: string) => name, isPreferred: () => false };
  const id = `plugin-${index}`;
  const inFlight = new InFlight(id, config.maxCallsInFlight);
  const circuits = new Circuits({ id, ...config });
  return { id, offer, link, config, inFlight, circuits, ...rest } as unknown as PluginEntry;
}

/** Every call goes to another tool: no cache of one name helps. */
function names(plugins: number, toolsEach: number): string[] {
  return Array.from({ length: 64 }, (_, i) => `plugin_${(i * 37) % plugins}_tool_${(i * 11) % toolsEach}`);
}

/** One whole call through the router: request in, request out, answer in, answer out. */
function wholeCall(plugins: number, toolsEach: number): () => void {
  const { dispatcher, caller, callerLink, callee, calleeLink } = router(plugins, toolsEach);
  const payloads = names(plugins, toolsEach).map((name) => toolCall(name, TOOL_ARGUMENTS));
  const answer = Buffer.concat([Buffer.from([10, 36]), Buffer.from(peekRequest(TOOL_CALL).requestId), ECHO_RESULT]);
  let call = 1;
  return () => {
    call += 2;
    dispatcher.request(caller, call, payloads[(call >> 1) & 63]!, true);
    callee.message(calleeLink.lastOpened, answer, true);
    if (callerLink.sent === 0) throw new Error("The call was not answered");
  };
}

function lookUp(plugins: number, toolsEach: number): () => void {
  const { routes } = router(plugins, toolsEach);
  const wanted = names(plugins, toolsEach);
  let next = 0;
  return () => {
    if (routes.tool(wanted[next++ & 63]!) === undefined) throw new Error("no such route");
  };
}

/** The router alone: its tables at size, and what it does for a call. */
export const routeSuite: Suite = {
  name: "route",
  run: async (context) =>
    compare(
      [
        {
          name: "route-lookup/200x50",
          peerName: "the same with 1 plugin × 50 tools",
          ours: lookUp(200, 50),
          peer: lookUp(1, 50),
        },
        {
          name: "route-call/200x50",
          peerName: "the same with 1 plugin × 50 tools",
          ours: wholeCall(200, 50),
          peer: wholeCall(1, 50),
        },
        {
          name: "route-call/616B",
          peerName: "ts-proto decode+encode, both ways",
          ours: wholeCall(1, 50),
          peer: () => {
            PluginRequest.encode(PluginRequest.decode(TOOL_CALL)).finish();
            PluginResponse.encode(PluginResponse.decode(ECHO_RESULT)).finish();
          },
        },
      ],
      context,
    ),
};
