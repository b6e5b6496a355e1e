import { setImmediate } from "node:timers";
import type { HubError } from "@orchestrator/protocol";
import type { PackedKv } from "./kv-batch.ts";
import { LANE_BATCHES, type Lane, Slot, slotOf, Word } from "./lane.ts";
import type { BatchResult } from "./messages.ts";

/** How long the hub's thread looks for an answer at the end of each turn; nothing else waits meanwhile. */
const LOOK_MS = 0.5;

/** Hears of one batch, or that the thread is gone. `result.kv.numbers` may be used only until it returns. */
export type BatchSettled = (result: BatchResult | HubError) => void;

/** The lane as the hub's thread uses it. */
export class LaneClient {
  readonly #words: Int32Array;
  readonly #slots: readonly Slot[];
  readonly #wake: () => void;
  readonly #waiting: BatchSettled[] = [];
  /** Results that were too much for their slot. */
  readonly #elsewhere: BatchResult[] = [];
  #sent = 0;
  #settled = 0;
  #lookUntil = 0;
  #isLooking = false;
  /** Where the last commit took longer than it is worth to look for. */
  #isSlow = false;

  /** @param wake sends a message that makes the writer's thread look */
  constructor(lane: Lane, wake: () => void) {
    this.#words = new Int32Array(lane.words);
    this.#slots = lane.slots.map((memory) => new Slot(memory));
    this.#wake = wake;
  }

  /** @returns false where there is no place for it, or it is too large */
  send(kv: PackedKv, settled: BatchSettled): boolean {
    if (this.#waiting.length >= LANE_BATCHES) return false;
    if (!slotOf(this.#slots, this.#sent).put(kv)) return false;
    const words = this.#words;
    this.#waiting.push(settled);
    if (!this.#isSlow) this.#look();
    this.#sent = (this.#sent + 1) | 0;
    Atomics.store(words, Word.Sent, this.#sent);
    if (Atomics.load(words, Word.WriterLooks) === 0) this.#wake();
    else Atomics.notify(words, Word.Sent);
    return true;
  }

  /** Before a message that is not about the lane: the writer's thread goes back to its event loop for it. */
  announceMessage(): void {
    Atomics.add(this.#words, Word.Messages, 1);
    Atomics.notify(this.#words, Word.Sent);
  }

  /** The writer's thread has said that there is something. */
  told(result: BatchResult | undefined): void {
    if (result !== undefined) this.#elsewhere.push(result);
    this.#settle();
  }

  /** The writer's thread is gone. */
  abandon(error: HubError): void {
    for (const settled of this.#waiting.splice(0)) settled(error);
  }

  #look(): void {
    this.#lookUntil = performance.now() + LOOK_MS;
    if (this.#isLooking) return;
    this.#isLooking = true;
    Atomics.store(this.#words, Word.HubLooks, 1);
    setImmediate(this.#lookAgain);
  }

  readonly #lookAgain = (): void => {
    try {
      this.#settle();
    } finally {
      if (this.#waiting.length > 0 && performance.now() < this.#lookUntil) setImmediate(this.#lookAgain);
      else {
        this.#isLooking = false;
        Atomics.store(this.#words, Word.HubLooks, 0);
      }
    }
    // What was done before the other side could see that it must tell.
    if (!this.#isLooking) this.#settle();
  };

  #settle(): void {
    while (this.#waiting.length > 0 && this.#settled !== Atomics.load(this.#words, Word.Done)) {
      const slot = slotOf(this.#slots, this.#settled);
      const result = slot.isElsewhere ? this.#elsewhere.shift() : resultOf(slot);
      // It is on its way.
      if (result === undefined) return;
      this.#settled = (this.#settled + 1) | 0;
      this.#isSlow = result.commitMs > LOOK_MS;
      this.#waiting.shift()!(result);
    }
  }
}

function resultOf(slot: Slot): BatchResult {
  return { kv: { numbers: slot.results }, events: [], expired: [], commitMs: slot.commitMs };
}
