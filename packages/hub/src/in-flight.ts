import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Caller } from "./policy.ts";

/** Requests of this size together may be under way to one plugin; more would only fill the hub's memory. */
const MAX_BYTES = 256 * 1024 * 1024;

/** What one caller has under way at one plugin. */
export class CallerShare {
  readonly caller: string;
  /** A plugin may take half of what another plugin can do, so that no plugin shuts the others out. */
  readonly limit: number;
  calls = 0;

  constructor(caller: string, limit: number) {
    this.caller = caller;
    this.limit = limit;
  }
}

/** What is under way to one plugin, and of whom. */
export class InFlight {
  calls = 0;
  bytes = 0;
  /** Calls since the hub started. */
  total = 0;
  readonly #plugin: string;
  readonly #limit: number;
  readonly #shares = new Map<string, CallerShare>();

  /** @param limit of calls at once */
  constructor(plugin: string, limit: number) {
    this.#plugin = plugin;
    this.#limit = limit;
  }

  /** The same one for every connection of a caller. */
  shareOf(caller: Caller): CallerShare {
    let share = this.#shares.get(caller.id);
    if (share === undefined) {
      share = new CallerShare(caller.id, caller.kind === "plugin" ? Math.ceil(this.#limit / 2) : this.#limit);
      this.#shares.set(caller.id, share);
    }
    return share;
  }

  /** @returns why a call of so many bytes cannot be taken now, if it cannot */
  refusal(share: CallerShare, bytes: number): HubError | undefined {
    if (this.calls >= this.#limit) return full(`has ${this.calls} calls in flight, which is its limit`, this.#plugin);
    if (share.calls >= share.limit) {
      const what = `has ${share.calls} calls of "${share.caller}" in flight, and a plugin may take no more than half of its limit`;
      return full(what, this.#plugin);
    }
    if (this.bytes + bytes <= MAX_BYTES || this.calls === 0) return undefined;
    return full(`has ${this.bytes} bytes of requests in flight, and ${bytes} more are over its limit`, this.#plugin);
  }

  begin(share: CallerShare, bytes: number): void {
    this.total += 1;
    this.resume(share, bytes);
  }

  /** A call that was begun, waited for the plugin, and goes on after that `end`. */
  resume(share: CallerShare, bytes: number): void {
    this.calls += 1;
    this.bytes += bytes;
    share.calls += 1;
  }

  end(share: CallerShare, bytes: number): void {
    this.calls -= 1;
    this.bytes -= bytes;
    share.calls -= 1;
  }
}

function full(what: string, plugin: string): HubError {
  return new HubError(ErrorCode.ResourceExhausted, `Plugin "${plugin}" ${what}. Try again when some are done`);
}
