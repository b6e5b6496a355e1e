import type { Failure } from "../failure.ts";

/** What an operation does. */
export const KvKind = { Set: 0, Delete: 1 } as const;
/** How it went. */
export const KvStatus = { Done: 0, NotExpected: 1, EntriesFull: 2, BytesFull: 3, Failed: 4 } as const;

/** Numbers per operation: kind, namespace, expected version (-1: any), now, expiry, bytes of key, bytes of value. */
const OPERATION = 7;
/** Numbers per result: see `PackedKvResults`. */
const RESULT = 5;
/** Most transactions hold a few small operations; the buffers double from here. */
const FIRST_BYTES = 1_024;
const FIRST_OPERATIONS = 16;
/** Below this, copying a buffer to the other thread costs less than giving it away. */
const WORTH_MOVING_BYTES = 64 * 1_024;

/** Operations in two buffers: cloning an object and a byte array for each operation took longer than SQLite does. */
export interface PackedKv {
  readonly count: number;
  readonly numbers: Float64Array;
  /** Key and value of each operation, one after the other. */
  readonly bytes: Uint8Array;
  /** By the operations' namespace number. */
  readonly namespaces: readonly string[];
}

/**
 * Per operation: status, sequence, version, updated, expires. `sequence` is the namespace's count of changes, 0 where nothing
 * changed; the rest describes the entry that was written or removed, or, after `NotExpected`, the version that is there.
 */
export interface PackedKvResults {
  readonly numbers: Float64Array;
  /** Why an operation has the status `Failed`, by its place; absent where none has. */
  readonly failures?: ReadonlyMap<number, Failure>;
}

export interface KvOperation {
  readonly kind: number;
  readonly namespace: string;
  readonly key: string;
  readonly keyBytes: number;
  /** Empty for a delete. */
  readonly value: Uint8Array;
  /** -1: whatever is there. */
  readonly expected: number;
  readonly nowMs: number;
  readonly expiresAtMs: number;
}

/** Collects operations. Keys and values are copied at once, so the caller may go on using its buffer. */
export class KvPacker {
  count = 0;
  /** Bytes of keys and values. */
  size = 0;
  #numbers = new Float64Array(FIRST_OPERATIONS * OPERATION);
  #bytes = Buffer.from(new ArrayBuffer(FIRST_BYTES));
  readonly #namespaces: string[] = [];
  readonly #numbersOf = new Map<string, number>();
  /** Most operations are in the namespace of the one before. */
  #lastName: string | undefined;
  #lastNumber = 0;

  add(operation: KvOperation): void {
    const { value, keyBytes } = operation;
    const end = this.size + keyBytes + value.length;
    if (end > this.#bytes.length) this.#growBytes(end);
    if ((this.count + 1) * OPERATION > this.#numbers.length) this.#growNumbers();
    this.#bytes.write(operation.key, this.size, keyBytes, "utf8");
    this.#bytes.set(value, this.size + keyBytes);
    this.size = end;
    const numbers = this.#numbers;
    let at = this.count * OPERATION;
    numbers[at++] = operation.kind;
    numbers[at++] = this.#namespace(operation.namespace);
    numbers[at++] = operation.expected;
    numbers[at++] = operation.nowMs;
    numbers[at++] = operation.expiresAtMs;
    numbers[at++] = keyBytes;
    numbers[at] = value.length;
    this.count += 1;
  }

  packed(): PackedKv {
    const numbers = this.#numbers.subarray(0, this.count * OPERATION);
    const { buffer } = this.#bytes;
    return { count: this.count, numbers, bytes: new Uint8Array(buffer, 0, this.size), namespaces: this.#namespaces };
  }

  /** For the next batch, once what was packed is elsewhere: memory that is there need not be made. */
  clear(): void {
    this.count = 0;
    this.size = 0;
    this.#namespaces.length = 0;
    this.#numbersOf.clear();
    this.#lastName = undefined;
  }

  /** Buffers of the packed operations that are better given away than copied. */
  transferable(): ArrayBuffer[] {
    const buffers = [this.#numbers.buffer, this.#bytes.buffer] as ArrayBuffer[];
    return buffers.filter(({ byteLength }) => byteLength >= WORTH_MOVING_BYTES);
  }

  #namespace(name: string): number {
    if (name === this.#lastName) return this.#lastNumber;
    let number = this.#numbersOf.get(name);
    if (number === undefined) {
      number = this.#namespaces.push(name) - 1;
      this.#numbersOf.set(name, number);
    }
    this.#lastName = name;
    this.#lastNumber = number;
    return number;
  }

  #growBytes(needed: number): void {
    const grown = Buffer.from(new ArrayBuffer(Math.max(needed, this.#bytes.length * 2)));
    grown.set(this.#bytes.subarray(0, this.size));
    this.#bytes = grown;
  }

  #growNumbers(): void {
    const grown = new Float64Array(this.#numbers.length * 2);
    grown.set(this.#numbers);
    this.#numbers = grown;
  }
}

/** Walks over packed operations. The same object is filled for each of them. */
export class KvUnpacker {
  kind = 0;
  namespace = "";
  expected = 0;
  nowMs = 0;
  expiresAtMs = 0;
  /** Bytes of the key. */
  keyBytes = 0;
  /** A view of the packed bytes. */
  value: Uint8Array = new Uint8Array();
  readonly #packed: PackedKv;
  readonly #bytes: Buffer;
  #offset = 0;
  #end = 0;
  #index = 0;

  constructor(packed: PackedKv) {
    this.#packed = packed;
    const { buffer, byteOffset, byteLength } = packed.bytes;
    this.#bytes = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
  }

  /** A view of the packed bytes; making one takes as long as half a lookup, and most writes need none. */
  get key(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + this.#offset, this.keyBytes);
  }

  /** The key, one character per byte. */
  get keyName(): string {
    return this.#bytes.toString("latin1", this.#offset, this.#offset + this.keyBytes);
  }

  /** @returns false at the end */
  next(): boolean {
    if (this.#index >= this.#packed.count) return false;
    const { numbers, namespaces } = this.#packed;
    let at = this.#index * OPERATION;
    this.kind = numbers[at++]!;
    this.namespace = namespaces[numbers[at++]!]!;
    this.expected = numbers[at++]!;
    this.nowMs = numbers[at++]!;
    this.expiresAtMs = numbers[at++]!;
    this.keyBytes = numbers[at++]!;
    const valueBytes = numbers[at]!;
    const bytes = this.#bytes;
    this.#offset = this.#end;
    const middle = this.#offset + this.keyBytes;
    this.value = new Uint8Array(bytes.buffer, bytes.byteOffset + middle, valueBytes);
    this.#end = middle + valueBytes;
    this.#index += 1;
    return true;
  }
}

/** One result, while it is written or read. */
export interface KvResult {
  status: number;
  sequence: number;
  version: number;
  updatedAtMs: number;
  expiresAtMs: number;
}

export function makeResults(count: number): Float64Array {
  return new Float64Array(count * RESULT);
}

export function writeResult(numbers: Float64Array, index: number, result: KvResult): void {
  let at = index * RESULT;
  numbers[at++] = result.status;
  numbers[at++] = result.sequence;
  numbers[at++] = result.version;
  numbers[at++] = result.updatedAtMs;
  numbers[at] = result.expiresAtMs;
}

export function readResult(numbers: Float64Array, index: number, into: KvResult): void {
  let at = index * RESULT;
  into.status = numbers[at++]!;
  into.sequence = numbers[at++]!;
  into.version = numbers[at++]!;
  into.updatedAtMs = numbers[at++]!;
  into.expiresAtMs = numbers[at]!;
}
