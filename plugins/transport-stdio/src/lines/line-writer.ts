import type { Writable } from "node:stream";

/**
 * Writes lines to a stream, all lines of one turn in one write. Honours the stream's backpressure as far as it can be
 * honoured: `congested` says when to stop making more. A reader that goes away is noticed once and is no error.
 */
export class LineWriter {
  /** Resolves once nobody reads any more. */
  readonly closed: Promise<void>;
  readonly #stream: Writable;
  readonly #onDrain: () => void;
  readonly #waiting: (() => void)[] = [];
  /** Writes that the system has not taken yet. */
  #writing = 0;
  #pending = "";
  #scheduled = false;
  #full = false;
  #broken = false;

  /** @param onDrain called when `congested` has become false again */
  constructor(stream: Writable, onDrain: () => void) {
    this.#stream = stream;
    this.#onDrain = onDrain;
    this.closed = new Promise((resolve) => {
      const broke = () => {
        this.#broken = true;
        this.#pending = "";
        resolve();
      };
      stream.on("error", broke);
      stream.on("close", broke);
    });
    stream.on("drain", this.#drained);
  }

  /** More is waiting for the reader than the stream wants to hold. */
  get congested(): boolean {
    return this.#full;
  }

  write(line: string): void {
    if (this.#broken) return;
    this.#pending += `${line}\n`;
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Runs when the answers that are ready now have all been written.
    process.nextTick(() => this.#flush());
  }

  /** Resolves once everything has been handed to the system, or the reader is gone. */
  async flushed(): Promise<void> {
    this.#flush();
    if (this.#writing === 0) return;
    const written = new Promise<void>((resolve) => this.#waiting.push(resolve));
    await Promise.race([written, this.closed]);
  }

  #flush(): void {
    this.#scheduled = false;
    const text = this.#pending;
    this.#pending = "";
    if (text === "" || this.#broken) return;
    this.#writing += 1;
    if (!this.#stream.write(text, this.#wrote)) this.#full = true;
  }

  readonly #wrote = (): void => {
    this.#writing -= 1;
    if (this.#writing === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  };

  readonly #drained = (): void => {
    this.#full = false;
    this.#onDrain();
  };
}
