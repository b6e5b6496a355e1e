import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Port } from "../port.ts";

/** What an instance may ask for before it serves: as many subscriptions as it may have, and a few registrations. */
const MAX_WAITING = 1_100;
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

interface Waiting {
  readonly work: (() => void)[];
  bytes: number;
}

/**
 * Two instances of one plugin at a time. What the new one asks for in the name of the plugin (its registration, its subscriptions)
 * waits until it serves and is forgotten when it never does; what the old one still asks for no longer counts.
 */
export class Handover {
  readonly #coming = new WeakMap<Port, Waiting>();
  readonly #leaving = new WeakSet<Port>();

  /** A connection to an instance that starts beside the one that serves. */
  begin(port: Port): void {
    this.#coming.set(port, { work: [], bytes: 0 });
  }

  /**
   * Asks whether what comes on this connection counts now; if it does not yet, `work` is done when it does.
   * @param bytes what it holds on to until then
   * @returns false when the caller may go on by itself
   * @throws {HubError} `RESOURCE_EXHAUSTED` when too much waits already
   */
  defers(port: Port, work: () => void, bytes: number): boolean {
    const waiting = this.#coming.get(port);
    if (waiting === undefined) return this.#leaving.has(port);
    if (waiting.work.length >= MAX_WAITING || waiting.bytes + bytes > MAX_WAITING_BYTES) {
      throw new HubError(ErrorCode.ResourceExhausted, "An instance that does not serve yet has asked for too much");
    }
    waiting.work.push(work);
    waiting.bytes += bytes;
    return true;
  }

  /** True for a connection whose instance has not served yet. */
  isComing(port: Port): boolean {
    return this.#coming.has(port);
  }

  /** Its instance serves from now on. */
  serve(port: Port): void {
    const waiting = this.#coming.get(port)?.work ?? [];
    this.#coming.delete(port);
    for (const work of waiting) {
      try {
        work();
      } catch {
        // One wish that cannot be met (a filter too many) must not stop the others, nor the instance from serving.
      }
    }
  }

  /** Its instance serves no longer. */
  leave(port: Port): void {
    this.#leaving.add(port);
  }
}
