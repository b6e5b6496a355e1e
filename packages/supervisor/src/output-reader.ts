import type { Readable } from "node:stream";
import { LineSplitter } from "./stderr-tail.ts";

/** Looked at in one go: some hundred lines at the most, and with a millisecond's work for them. */
const PIECE_BYTES = 512;
/** A plugin that has kept the hub busy for so long has to wait a moment before more of its output is read. */
const BURST_MS = 2;
/** So many times as long as it has kept the hub busy: a stream costs a fifth of a processor at the most, however fast it comes. */
const REST = 4;
/**
 * No longer than this: a hub that was held up in the middle of a line, by a busy machine or by one that slept, was not kept busy by
 * the plugin. Well below the time for which the last words of a process are waited for.
 */
const LONGEST_REST_MS = 40;

/**
 * Reads what a plugin writes, for ever and line by line, but never so much at a time that the hub has no time for others: a pipe
 * full of line breaks is 65 000 lines. Whoever writes faster waits at its pipe; nothing is lost.
 */
export class OutputReader {
  /** Resolves when there is no more, and all of it was handed on. */
  readonly ended: Promise<void>;
  readonly #stream: Readable;
  readonly #lines: LineSplitter;
  readonly #waiting: Buffer[] = [];
  readonly #done = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(stream: Readable, onLine: (line: string) => void) {
    this.#stream = stream;
    this.#lines = new LineSplitter(onLine);
    this.ended = this.#done.promise;
    stream.on("data", (chunk: Buffer) => {
      this.#waiting.push(chunk);
      // The end of a process lets its streams flow, also those that have to wait.
      if (this.#timer === undefined) this.#work();
      else stream.pause();
    });
    // An error on a pipe (EBADF after a hard kill) must not take the hub down; the exit event tells the story.
    stream.on("error", () => {});
    stream.once("close", () => {
      this.#isOver = true;
      if (this.#timer === undefined) this.#work();
    });
  }

  #work(): void {
    const begunAt = performance.now();
    for (let chunk = this.#waiting[0]; chunk !== undefined; chunk = this.#waiting[0]) {
      this.#lines.push(chunk.subarray(0, PIECE_BYTES));
      if (chunk.length > PIECE_BYTES) this.#waiting[0] = chunk.subarray(PIECE_BYTES);
      else this.#waiting.shift();
      const tookMs = performance.now() - begunAt;
      if (tookMs < BURST_MS) continue;
      this.#stream.pause();
      this.#timer = setTimeout(() => this.#goOn(), Math.min(REST * tookMs, LONGEST_REST_MS)).unref();
      return;
    }
    if (!this.#isOver) return;
    this.#lines.end();
    this.#done.resolve();
  }

  #goOn(): void {
    this.#timer = undefined;
    this.#work();
    if (this.#timer === undefined) this.#stream.resume();
  }
}
