import { nextTick } from "node:process";
import { setImmediate, setTimeout } from "node:timers";
import type { Connection } from "./connection.ts";

/**
 * How long an acknowledgement may wait for something to ride with; QUIC lets a peer reckon with 25 ms. Not less: a timer that is
 * due before the kernel's next tick makes each wait for packets dearer, by a fifth of a call's time in a virtual machine.
 */
const ACK_WAIT_MS = 10;

/**
 * Groups the work of one turn of the event loop: first all datagrams of a poll, then one look at every connection that got
 * some, then, when everything that this set off has run, one sending pass.
 */
export class Turn {
  #received = new Set<Connection>();
  #changed = new Set<Connection>();
  #patient = new Set<Connection>();
  #looking = false;
  #sending = false;
  #waiting = false;

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

  /** There is nothing to send but acknowledgements. */
  acknowledge(connection: Connection): void {
    this.#patient.add(connection);
    if (this.#waiting) return;
    this.#waiting = true;
    // One timer for all, started again only when it has fired: some wait less, none more.
    setTimeout(this.#acknowledge, ACK_WAIT_MS).unref();
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

  readonly #acknowledge = (): void => {
    this.#waiting = false;
    const connections = this.#patient;
    this.#patient = new Set();
    for (const connection of connections) connection.flushAcks();
  };
}
