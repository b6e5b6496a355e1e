import type { HubError } from "@orchestrator/protocol";
import type { PackedKv } from "./kv-batch.ts";
import { LANE_BATCHES, type Lane, Slot } from "./lane.ts";
import type { BatchResult } from "./messages.ts";

/** Hears of one batch, or that the thread is gone. `result.kv.numbers` may be used only until it returns. */
export type BatchSettled = (result: BatchResult | HubError) => void;

/** The lane as the hub's thread uses it. Messages keep the order, also with what does not travel in the lane. */
export class LaneClient {
  readonly #slots: readonly Slot[];
  readonly #send: (slot: number) => void;
  readonly #waiting: BatchSettled[] = [];
  #nextSlot = 0;

  /** @param send tells the writer's thread that a slot holds a batch */
  constructor(lane: Lane, send: (slot: number) => void) {
    this.#slots = lane.map((memory) => new Slot(memory));
    this.#send = send;
  }

  /** @returns false where there is no place for it, or it is too large */
  send(kv: PackedKv, settled: BatchSettled): boolean {
    const slot = this.#nextSlot;
    if (this.#waiting.length >= LANE_BATCHES || !this.#slots[slot]!.put(kv)) return false;
    this.#nextSlot = (slot + 1) % this.#slots.length;
    this.#waiting.push(settled);
    this.#send(slot);
    return true;
  }

  /** The batch in this slot is done. @param result where it was too much for the slot */
  settle(slot: number, result?: BatchResult): void {
    this.#waiting.shift()!(result ?? resultOf(this.#slots[slot]!));
  }

  /** The writer's thread is gone. */
  abandon(error: HubError): void {
    for (const settled of this.#waiting.splice(0)) settled(error);
  }
}

function resultOf(slot: Slot): BatchResult {
  return { kv: { numbers: slot.results }, events: [], expired: [], commitMs: slot.commitMs };
}
