import type { PackedKv } from "./kv-batch.ts";

/**
 * Memory that both threads see, for batches of writes. A message between threads costs its cloning and a turn of two event
 * loops; beside a fast disk that is as long as the commit. Here each side looks for the other's word for a moment before it
 * sleeps, and tells the other only where it does sleep.
 */
export interface Lane {
  /** By `Word`. */
  readonly words: SharedArrayBuffer;
  /** Used in turn. */
  readonly slots: readonly SharedArrayBuffer[];
}

/** Places of the words in a lane. */
export const Word = {
  /** Batches that were put into a slot; the hub's thread counts it up. */
  Sent: 0,
  /** Batches that were carried out; the writer's thread counts it up. */
  Done: 1,
  /** 1 while the writer's thread looks at `Sent` by itself or waits for it; 0: it needs a message. */
  WriterLooks: 2,
  /** 1 while the hub's thread looks at `Done` by itself; 0: it needs a message. */
  HubLooks: 3,
  /** Messages, other than those about the lane, that were sent to the writer's thread. */
  Messages: 4,
} as const;
const WORDS = 5;

/** Batches that can be under way. */
export const LANE_BATCHES = 2;
/** More than can be under way, since the results of one are still read when the next is put; and a power of two, see `slotOf`. */
const SLOTS = 4;
const HEAD = { Count: 0, NamespaceBytes: 1, Bytes: 2, CommitMs: 3, IsElsewhere: 4 } as const;
const HEAD_NUMBERS = 8;
/** What a slot holds: numbers and bytes of operations. What is more travels as a message. */
const SLOT_NUMBERS = 2_048 * 7;
const SLOT_BYTES = 512 * 1_024;

export function makeLane(): Lane {
  const bytes = (HEAD_NUMBERS + SLOT_NUMBERS) * Float64Array.BYTES_PER_ELEMENT + SLOT_BYTES;
  return {
    words: new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT),
    slots: Array.from({ length: SLOTS }, () => new SharedArrayBuffer(bytes)),
  };
}

/** The slot of a batch by its number, which goes round at 32 bits and is negative half of the time. */
export function slotOf(slots: readonly Slot[], batch: number): Slot {
  return slots[batch & (SLOTS - 1)]!;
}

/** One slot: a batch, and afterwards its results in the same place. */
export class Slot {
  readonly #head: Float64Array;
  readonly #numbers: Float64Array;
  readonly #bytes: Buffer;
  /** Batches after one another mostly have the same namespaces. */
  #names = "";
  #namespaces: readonly string[] = [];

  constructor(memory: SharedArrayBuffer) {
    this.#head = new Float64Array(memory, 0, HEAD_NUMBERS);
    const at = HEAD_NUMBERS * Float64Array.BYTES_PER_ELEMENT;
    this.#numbers = new Float64Array(memory, at, SLOT_NUMBERS);
    // `Buffer` takes shared memory; its types say so only for the other kind.
    this.#bytes = Buffer.from(memory as unknown as ArrayBuffer, at + this.#numbers.byteLength, SLOT_BYTES);
  }

  /** @returns false where it does not fit */
  put({ count, numbers, bytes, namespaces }: PackedKv): boolean {
    const names = namespaces.length === 1 ? namespaces[0]! : JSON.stringify(namespaces);
    // Three bytes is the most that a character takes.
    if (numbers.length > SLOT_NUMBERS || bytes.length + names.length * 3 > SLOT_BYTES) return false;
    const head = this.#head;
    head[HEAD.Count] = count;
    head[HEAD.Bytes] = bytes.length;
    head[HEAD.NamespaceBytes] = this.#bytes.write(names, bytes.length) * (namespaces.length === 1 ? 1 : -1);
    this.#numbers.set(numbers);
    this.#bytes.set(bytes);
    return true;
  }

  /** Views of what was put. */
  take(): PackedKv {
    const head = this.#head;
    const end = head[HEAD.Bytes]!;
    const nameBytes = head[HEAD.NamespaceBytes]!;
    const names = this.#bytes.toString("utf8", end, end + Math.abs(nameBytes));
    if (names !== this.#names || this.#namespaces.length > 1 !== nameBytes < 0) {
      this.#names = names;
      this.#namespaces = nameBytes < 0 ? (JSON.parse(names) as string[]) : [names];
    }
    const namespaces = this.#namespaces;
    return { count: head[HEAD.Count]!, numbers: this.#numbers, bytes: this.#bytes, namespaces };
  }

  /** @param numbers undefined where the results are too much for numbers and come as a message */
  answer(numbers: Float64Array | undefined, commitMs: number): void {
    this.#head[HEAD.CommitMs] = commitMs;
    this.#head[HEAD.IsElsewhere] = numbers === undefined ? 1 : 0;
    if (numbers !== undefined) this.#numbers.set(numbers);
  }

  get isElsewhere(): boolean {
    return this.#head[HEAD.IsElsewhere] === 1;
  }

  get commitMs(): number {
    return this.#head[HEAD.CommitMs]!;
  }

  /** Valid until the next batch is put. */
  get results(): Float64Array {
    return this.#numbers;
  }
}
