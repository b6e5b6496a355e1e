import { setImmediate } from "node:timers";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Failure } from "../failure.ts";
import { type KvOperation, KvPacker, type KvResult, KvStatus, type PackedKvResults, readResult } from "./kv-batch.ts";
import type { BatchResult, Expired, NewEvent } from "./messages.ts";
import type { WriterThread } from "./thread.ts";

/** One transaction holds no more than this, so that nobody waits long behind it. */
const BATCH_OPERATIONS = 2_048;
/** Fewer are not worth a transaction of their own while others are under way. */
const SMALL_BATCH = 128;
/** From here on the disk is what takes the time, and one large transaction is better than two. */
const SLOW_COMMIT_MS = 2;
const BATCH_BYTES = 8 * 1_024 * 1_024;
/** What may wait for the disk in all. Beyond it writers are told to come back later, rather than the memory filled. */
const WAITING_OPERATIONS = 65_536;
const WAITING_BYTES = 128 * 1_024 * 1_024;

/** A write that waits for its commit. */
export interface PendingKv {
  readonly operation: KvOperation;
  /**
   * Called once, in the order of the writes; with a failure where the storage itself failed. `result` is the same object each
   * time.
   */
  settled(result: KvResult, failure: Failure | undefined): void;
}

interface PendingEvent {
  readonly event: NewEvent;
  settled(result: number | Failure): void;
}

interface Batch {
  readonly packer: KvPacker;
  readonly kv: PendingKv[];
  readonly events: PendingEvent[];
}

/**
 * Gathers writes into transactions: what comes in one turn of the loop, or while transactions before it are under way, shares
 * one. Waiting for the disk is what a commit costs, and it costs the same for one write as for a thousand. On a fast disk what
 * waits is cut in two, so that the thread is never idle while the answers to one half are handed out.
 */
export class WriteQueue {
  readonly #thread: WriterThread;
  readonly #onExpired: (expired: readonly Expired[]) => void;
  /** Batches that wait, the last of which is still being filled. */
  readonly #batches: Batch[] = [];
  /** Packers whose batch is on its way. */
  readonly #spare: KvPacker[] = [];
  #waitingOperations = 0;
  #waitingBytes = 0;
  #underWay = 0;
  #isSlow = false;
  #scheduled = false;
  #closed: HubError | undefined;
  #idle: (() => void)[] = [];

  constructor(thread: WriterThread, onExpired: (expired: readonly Expired[]) => void) {
    this.#thread = thread;
    this.#onExpired = onExpired;
  }

  /** @throws {HubError} `RESOURCE_EXHAUSTED` where too much waits already */
  addKv(pending: PendingKv): void {
    const { operation } = pending;
    const batch = this.#admit(operation.keyBytes + operation.value.length);
    batch.packer.add(operation);
    batch.kv.push(pending);
  }

  /** @throws {HubError} `RESOURCE_EXHAUSTED` where too much waits already */
  addEvent(event: NewEvent, settled: PendingEvent["settled"]): void {
    this.#admit(event.details.length).events.push({ event, settled });
  }

  /** Refuses everything from now on with `error`; resolves when what was added before is answered. */
  async close(error: HubError): Promise<void> {
    this.#closed = error;
    if (this.#waitingOperations === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #admit(bytes: number): Batch {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#waitingOperations >= WAITING_OPERATIONS || this.#waitingBytes + bytes > WAITING_BYTES) {
      const what = `${this.#waitingOperations} writes with ${this.#waitingBytes} bytes wait for the disk already`;
      throw new HubError(ErrorCode.ResourceExhausted, `${what}; try again later`);
    }
    this.#waitingOperations += 1;
    this.#waitingBytes += bytes;
    let batch = this.#batches.at(-1);
    if (batch === undefined || this.#isFull(batch, bytes)) {
      if (batch !== undefined) this.#send();
      batch = { packer: this.#spare.pop() ?? new KvPacker(), kv: [], events: [] };
      this.#batches.push(batch);
    }
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#send();
      });
    }
    return batch;
  }

  /** A batch that still grows goes only where there is nothing else to do. */
  #send(): void {
    const most = this.#isSlow ? 1 : 2;
    while (this.#underWay < most) {
      const [batch] = this.#batches;
      if (batch === undefined) return;
      if (this.#underWay > 0 && this.#batches.length === 1 && !this.#isFull(batch, 0)) return;
      this.#batches.shift();
      this.#commit(batch);
    }
  }

  #isFull({ packer, events }: Batch, bytes: number): boolean {
    const count = packer.count + events.length;
    const share = this.#isSlow ? BATCH_OPERATIONS : Math.max(SMALL_BATCH, this.#waitingOperations / 2);
    return count >= Math.min(share, BATCH_OPERATIONS) || (packer.size > 0 && packer.size + bytes > BATCH_BYTES);
  }

  #commit(batch: Batch): void {
    this.#underWay += 1;
    const { packer } = batch;
    const { count, size } = packer;
    const packed = packer.packed();
    const events = batch.events.map(({ event }) => event);
    const settled = (result: BatchResult | HubError) => {
      this.#waitingOperations -= count + events.length;
      this.#waitingBytes -= size + events.reduce((sum, event) => sum + event.details.length, 0);
      this.#settle(batch, result instanceof HubError ? failed(batch, result) : result);
    };
    if (events.length === 0 && this.#thread.runInLane(packed, settled)) {
      packer.clear();
      this.#spare.push(packer);
      return;
    }
    const kv = count === 0 ? undefined : packed;
    this.#thread.run({ kind: "batch", kv, events }, packer.transferable()).then(settled, (reason: unknown) => {
      settled(HubError.from(reason));
    });
  }

  #settle(batch: Batch, { kv, events, expired, commitMs }: BatchResult): void {
    this.#isSlow = commitMs > SLOW_COMMIT_MS;
    this.#underWay -= 1;
    // Before the answers: who is answered may write at once, and that must not wait for the rest of this turn.
    this.#send();
    const { numbers, failures } = kv ?? NOTHING;
    const answer = { status: 0, sequence: 0, version: 0, updatedAtMs: 0, expiresAtMs: 0 };
    let untold = expired;
    for (let index = 0; index < batch.kv.length; index += 1) {
      const pending = batch.kv[index]!;
      readResult(numbers, index, answer);
      // What had to go may have been written in this very batch: whoever watches hears of both in their order.
      if (untold.length > 0) {
        const isBefore = ({ namespace, sequence }: Expired) =>
          namespace === pending.operation.namespace && sequence < answer.sequence;
        this.#onExpired(untold.filter(isBefore));
        untold = untold.filter((entry) => !isBefore(entry));
      }
      pending.settled(answer, failures?.get(index));
    }
    this.#onExpired(untold);
    batch.events.forEach((pending, index) => {
      pending.settled(events[index]!);
    });
    if (this.#waitingOperations === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

const NOTHING: PackedKvResults = { numbers: new Float64Array() };

/** The thread itself is gone. */
function failed(batch: Batch, { code, message }: HubError): BatchResult {
  const failure = { code, message };
  const numbers = new Float64Array(batch.kv.length * 5).fill(KvStatus.Failed);
  const failures = new Map(batch.kv.map((_, index) => [index, failure] as const));
  return { kv: { numbers, failures }, events: batch.events.map(() => failure), expired: [], commitMs: 0 };
}
