/**
 * Runs tasks of one key one after another, tasks of different keys side by side. It spares the calls of one process
 * their conflicts; what decides between processes is the storage's compare-and-set.
 */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>();

  /** @throws the signal's reason if it aborts while the task waits its turn; the task then never runs */
  async run<T>(key: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const turn = Promise.withResolvers<void>();
    const tail = before.then(() => turn.promise);
    this.#tails.set(key, tail);
    try {
      await orAborted(before, signal);
      return await task();
    } finally {
      turn.resolve();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}

async function orAborted(turn: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([turn, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
