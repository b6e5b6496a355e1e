import { type Lane, Slot, slotOf, Word } from "./lane.ts";
import type { LaneWord } from "./messages.ts";
import type { Writer } from "./writer.ts";

/** How long the writer's thread looks for the next batch before it sleeps: a writer that was answered mostly writes again. */
const LOOK_MS = 0.05;
/** How long it then sleeps where a word wakes it. Afterwards it goes back to its event loop, and needs a message. */
const LINGER_MS = 1;

/** The lane as the writer's thread serves it. */
export class LaneServer {
  readonly #words: Int32Array;
  readonly #slots: readonly Slot[];
  readonly #writer: Writer;
  readonly #tell: (word: LaneWord) => void;
  #done = 0;
  #messages = 0;

  constructor(lane: Lane, writer: Writer, tell: (word: LaneWord) => void) {
    this.#words = new Int32Array(lane.words);
    this.#slots = lane.slots.map((memory) => new Slot(memory));
    this.#writer = writer;
    this.#tell = tell;
  }

  /** A message arrived that is not about the lane. */
  countMessage(): void {
    this.#messages = (this.#messages + 1) | 0;
  }

  /** Carries out batches until there is none for a while, or something else to do. */
  serve(): void {
    const words = this.#words;
    do {
      Atomics.store(words, Word.WriterLooks, 1);
      do {
        while (this.#done !== Atomics.load(words, Word.Sent)) this.#carryOut();
      } while (this.#hasMore());
      Atomics.store(words, Word.WriterLooks, 0);
      // What was sent before the other side could see that it must tell.
    } while (this.#done !== Atomics.load(words, Word.Sent));
  }

  #carryOut(): void {
    const slot = slotOf(this.#slots, this.#done);
    const result = this.#writer.batch(slot.take(), []);
    const isPlain = result.kv?.failures === undefined && result.expired.length === 0;
    slot.answer(isPlain ? result.kv?.numbers : undefined, result.commitMs);
    this.#done = (this.#done + 1) | 0;
    Atomics.store(this.#words, Word.Done, this.#done);
    if (!isPlain) this.#tell({ lane: result });
    else if (Atomics.load(this.#words, Word.HubLooks) === 0) this.#tell({ lane: undefined });
  }

  #hasMore(): boolean {
    const words = this.#words;
    const until = performance.now() + LOOK_MS;
    do {
      if (Atomics.load(words, Word.Messages) !== this.#messages) return false;
      if (Atomics.load(words, Word.Sent) !== this.#done) return true;
    } while (performance.now() < until);
    return Atomics.wait(words, Word.Sent, this.#done, LINGER_MS) !== "timed-out";
  }
}
