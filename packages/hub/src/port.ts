import { HubError } from "@orchestrator/protocol";
import { type CallId, IdTable, type Link, type LinkHandler } from "@orchestrator/transport";
import type { PluginEntry } from "./plugin-entry.ts";
import type { Caller } from "./policy.ts";
import { TargetCache } from "./targets.ts";

/** One end of something that is under way on a port. */
export interface PortCall {
  message(port: Port, call: CallId, payload: Uint8Array, last: boolean): void;
  /** The call is over without an answer. The port has forgotten it already. */
  cancelled(port: Port, call: CallId, error: HubError): void;
  drained(port: Port, call: CallId): void;
}

/** What a port asks of the hub. */
export interface PortOwner {
  request(port: Port, call: CallId, payload: Uint8Array, last: boolean): void;
  portClosed(port: Port, error: HubError | undefined): void;
  /** Something went wrong while this peer was served; for the log. */
  portFailed(port: Port, error: HubError): void;
}

/** One link, and what is under way on it. */
export class Port implements LinkHandler {
  readonly link: Link;
  readonly caller: Caller;
  /** The configured plugin on the other end, if it is one. */
  readonly plugin: PluginEntry | undefined;
  /** The peer said that it serves calls on a connection that it opened itself. */
  acceptsCalls = false;
  /** Grows with everything that comes from the peer, so that nobody asks one for a sign of life that has just given it. */
  heard = 0;
  /** Where the requests of this peer go; emptied when its rights change. */
  readonly targets = new TargetCache();
  readonly #owner: PortOwner;
  readonly #calls = new IdTable<PortCall>();

  constructor(link: Link, caller: Caller, plugin: PluginEntry | undefined, owner: PortOwner) {
    this.link = link;
    this.caller = caller;
    this.plugin = plugin;
    this.#owner = owner;
  }

  /** Calls that are under way on this link, whichever side opened them. */
  get underWay(): number {
    return this.#calls.size;
  }

  attach(call: CallId, end: PortCall): void {
    this.#calls.set(call, end);
  }

  forget(call: CallId): void {
    this.#calls.delete(call);
  }

  /**
   * Sends one message to the peer. A message that is too long for the carrier (an answer that grew on its way, a list that is
   * too long) becomes an error of the call, never an exception in whoever happened to send it.
   * @returns as `Link.send`
   */
  reply(call: CallId, payload: Uint8Array, last: boolean): boolean {
    try {
      return this.link.send(call, payload, last);
    } catch (reason) {
      this.link.cancel(call);
      this.forget(call);
      this.#owner.portFailed(this, HubError.from(reason));
      return true;
    }
  }

  request(call: CallId, payload: Uint8Array, last: boolean): void {
    this.heard += 1;
    try {
      this.#owner.request(this, call, payload, last);
    } catch (reason) {
      this.#failed(reason);
    }
  }

  /** Whatever goes wrong while one peer is served ends that peer's link and nothing else. */
  #failed(reason: unknown): void {
    const error = HubError.from(reason);
    this.#owner.portFailed(this, error);
    queueMicrotask(() => this.link.abort(error));
  }

  message(call: CallId, payload: Uint8Array, last: boolean): void {
    this.heard += 1;
    const end = this.#calls.get(call);
    // What comes for a call that is over is let go, and credited so that the peer is not held up by it.
    if (end === undefined) {
      if (!last) this.link.credit(call, payload.length);
      return;
    }
    try {
      end.message(this, call, payload, last);
    } catch (reason) {
      this.#failed(reason);
    }
  }

  cancelled(call: CallId, error: HubError): void {
    const end = this.#calls.get(call);
    if (end === undefined) return;
    this.#calls.delete(call);
    try {
      end.cancelled(this, call, error);
    } catch (reason) {
      this.#failed(reason);
    }
  }

  drained(call: CallId): void {
    const end = this.#calls.get(call);
    if (end === undefined) return;
    try {
      end.drained(this, call);
    } catch (reason) {
      this.#failed(reason);
    }
  }

  closed(error?: HubError): void {
    this.#owner.portClosed(this, error);
  }
}
