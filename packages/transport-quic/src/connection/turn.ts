import { nextTick } from "node:process";
import { setImmediate } from "node:timers";
import type { Connection } from "./connection.ts";

/**
 * Groups the work of one turn of the event loop: first all datagrams of a poll, then one look at every connection that got
 * some, then, when everything that this set off has run, one sending pass.
 */
export class Turn {
  #received = new Set<Connection>();
  #changed = new Set<Connection>();
  #looking = false;
  #sending = false;

  /** A datagram was fed in. The look comes after the poll: node delivers the datagrams of one poll one by one. */
  received(connection: Connection): void {
    this.#received.add(connection);
    if (this.#looking) return;
    this.#looking = true;
    setImmediate(this.#look);
  }

  /** There may be something to send. */
  changed(connection: Connection): void {
    this.#changed.add(connection);
    if (this.#sending) return;
    this.#sending = true;
    // By way of a microtask to the next tick, which runs when no microtask is left: answers that come out of a chain of
    // promises still share packets with each other and with the acknowledgements.
    queueMicrotask(this.#beforeSend);
  }

  readonly #look = (): void => {
    this.#looking = false;
    const connections = this.#received;
    this.#received = new Set();
    const nowMs = Date.now();
    for (const connection of connections) connection.advance(nowMs);
  };

  readonly #beforeSend = (): void => {
    nextTick(this.#send);
  };

  readonly #send = (): void => {
    this.#sending = false;
    const connections = this.#changed;
    this.#changed = new Set();
    for (const connection of connections) connection.flush();
  };
}
