/**
 * Work whose result many want at once: whoever asks gets a result of work that began after the question, and at most one is under
 * way and one due. A hub that stops a hundred plugins looks through the processes a few times, not a hundred times.
 */
export class Shared<T> {
  readonly #work: () => Promise<T>;
  #running: Promise<T> | undefined;
  #due: Promise<T> | undefined;

  constructor(work: () => Promise<T>) {
    this.#work = work;
  }

  next(): Promise<T> {
    if (this.#due !== undefined) return this.#due;
    const before = this.#running;
    if (before === undefined) return this.#start();
    this.#due = before.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#due;
  }

  #start(): Promise<T> {
    this.#due = undefined;
    const running = this.#work().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
