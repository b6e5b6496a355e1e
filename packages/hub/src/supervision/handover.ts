import type { Port } from "../port.ts";

/**
 * Two instances of one plugin at a time. What the new one asks for in the name of the plugin (its registration, its subscriptions)
 * waits until it serves and is forgotten when it never does; what the old one still asks for no longer counts.
 */
export class Handover {
  readonly #coming = new WeakMap<Port, (() => void)[]>();
  readonly #leaving = new WeakSet<Port>();

  /** A connection to an instance that starts beside the one that serves. */
  begin(port: Port): void {
    this.#coming.set(port, []);
  }

  /**
   * Asks whether what comes on this connection counts now; if it does not yet, `work` is done when it does.
   * @returns false when the caller may go on by itself
   */
  defers(port: Port, work: () => void): boolean {
    const waiting = this.#coming.get(port);
    waiting?.push(work);
    return waiting !== undefined || this.#leaving.has(port);
  }

  /** True for a connection whose instance has not served yet. */
  isComing(port: Port): boolean {
    return this.#coming.has(port);
  }

  /** Its instance serves from now on. */
  serve(port: Port): void {
    const waiting = this.#coming.get(port) ?? [];
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
