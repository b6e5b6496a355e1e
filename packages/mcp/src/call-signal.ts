/**
 * Tells that a request was given up. As much of an `AbortSignal` as a backend needs: the real one costs more than all the rest of
 * a call, and nearly no call is given up.
 */
export interface CallSignal {
  readonly aborted: boolean;
  /** Why, where somebody said. */
  readonly reason: unknown;
  /** Calls `listener` once, unless it has happened already. */
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** A signal, for the one who gives it. */
export class CallController implements CallSignal {
  #aborted = false;
  #listeners: Set<() => void> | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): undefined {
    return undefined;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    if (this.#aborted) return;
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    this.#listeners?.delete(listener);
  }

  /** Repeatable. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    for (const listener of listeners) listener();
  }
}
