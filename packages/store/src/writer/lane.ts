import type { PackedKv } from "./kv-batch.ts";

/**
 * Memory that both threads see, for batches of writes: what travels between them is only the word that one is there. Cloning a
 * batch into a message, and its results into another, took longer than packing it. The slots are used in turn.
 */
export type Lane = readonly SharedArrayBuffer[];

/** Batches that can be under way. */
export const LANE_BATCHES = 2;
/** One more than can be under way, since the results of one are still read when the next is put. */
const SLOTS = LANE_BATCHES + 1;
const HEAD = { Count: 0, NamespaceBytes: 1, Bytes: 2, CommitMs: 3 } as const;
const HEAD_NUMBERS = 4;
/** What a slot holds: numbers and bytes of operations. What is more travels as a message. */
const SLOT_NUMBERS = 2_048 * 7;
const SLOT_BYTES = 512 * 1_024;

export function makeLane(): Lane {
  const bytes = (HEAD_NUMBERS + SLOT_NUMBERS) * Float64Array.BYTES_PER_ELEMENT + SLOT_BYTES;
  return Array.from({ length: SLOTS }, () => new SharedArrayBuffer(bytes));
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

  answer(numbers: Float64Array, commitMs: number): void {
    this.#head[HEAD.CommitMs] = commitMs;
    this.#numbers.set(numbers);
  }

  get commitMs(): number {
    return this.#head[HEAD.CommitMs]!;
  }

  /** Valid until the next batch is put. */
  get results(): Float64Array {
    return this.#numbers;
  }
}
