/** One thing that has a deadline. The wheel owns the three fields; everybody else leaves them alone. */
export interface Timed {
  wheelPrevious: Timed | undefined;
  wheelNext: Timed | undefined;
  /** Tick at which it is due; -1 while it is in no wheel. */
  wheelTick: number;
  /** Called once, on the first tick at or after the deadline. */
  expired(): void;
}

/** A deadline is noticed at most this much late. */
const TICK_MS = 10;
const SLOTS = 512;
/** A turn that comes so much late means that the process stood still: suspended, stopped, or without a processor. */
const STANDSTILL_TICKS = 10;

/**
 * Deadlines of all calls with one timer: adding and removing are a few pointer writes. The timer runs only while something is
 * in the wheel, so an idle hub has no wake-ups.
 */
export class DeadlineWheel {
  readonly #slots: (Timed | undefined)[] = new Array(SLOTS).fill(undefined);
  #size = 0;
  #tick = 0;
  /** When it turned last. */
  #turnedAt = 0;
  #hasWaited = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #onFailure: (reason: unknown) => void;

  /** @param onFailure hears what `expired` of an item threw, which is a mistake of ours; thrown on by default */
  constructor(onFailure: (reason: unknown) => void = throwOn) {
    this.#onFailure = onFailure;
  }

  /** How many deadlines are pending. */
  get size(): number {
    return this.#size;
  }

  /** @param nowMs performance.now(), for those who have just asked */
  add(item: Timed, afterMs: number, nowMs = performance.now()): void {
    const now = Math.floor(nowMs / TICK_MS);
    if (this.#timer === undefined) {
      this.#tick = now;
      this.#turnedAt = now;
      this.#timer = setInterval(() => this.#turn(), TICK_MS);
      this.#timer.unref();
    }
    // One tick more than the division gives: never early.
    item.wheelTick = now + Math.ceil(afterMs / TICK_MS) + 1;
    const slot = item.wheelTick % SLOTS;
    const head = this.#slots[slot];
    item.wheelPrevious = undefined;
    item.wheelNext = head;
    if (head !== undefined) head.wheelPrevious = item;
    this.#slots[slot] = item;
    this.#size += 1;
  }

  /** Repeatable; an item that is in no wheel is left alone. */
  remove(item: Timed): void {
    if (item.wheelTick < 0) return;
    if (item.wheelPrevious === undefined) this.#slots[item.wheelTick % SLOTS] = item.wheelNext;
    else item.wheelPrevious.wheelNext = item.wheelNext;
    if (item.wheelNext !== undefined) item.wheelNext.wheelPrevious = item.wheelPrevious;
    item.wheelPrevious = undefined;
    item.wheelNext = undefined;
    item.wheelTick = -1;
    this.#size -= 1;
  }

  /** Stops the timer; nothing expires any more. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const head of this.#slots) {
      for (let item = head; item !== undefined; ) {
        const next: Timed | undefined = item.wheelNext;
        item.wheelPrevious = undefined;
        item.wheelNext = undefined;
        item.wheelTick = -1;
        item = next;
      }
    }
    this.#slots.fill(undefined);
    this.#size = 0;
  }

  #turn(): void {
    const now = tickNow();
    const lateness = now - this.#turnedAt;
    this.#turnedAt = now;
    // Timers come before sockets: what arrived during a standstill is read first, and counts. One turn is enough for that, and in a
    // process that is always late deadlines hold all the same.
    this.#hasWaited = lateness > STANDSTILL_TICKS && !this.#hasWaited;
    if (this.#hasWaited) return;
    // After a long pause (a suspended machine) one round over all slots is enough.
    if (now - this.#tick > SLOTS) this.#tick = now - SLOTS;
    while (this.#tick < now) {
      this.#tick += 1;
      this.#expire(this.#tick % SLOTS, now);
    }
    if (this.#size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #expire(slot: number, now: number): void {
    const due: Timed[] = [];
    for (let item = this.#slots[slot]; item !== undefined; item = item.wheelNext) {
      if (item.wheelTick <= now) due.push(item);
    }
    for (const item of due) {
      // An earlier one's expiry may have removed this one.
      if (item.wheelTick < 0) continue;
      this.remove(item);
      try {
        item.expired();
      } catch (reason) {
        // The others are due all the same.
        this.#onFailure(reason);
      }
    }
  }
}

function throwOn(reason: unknown): void {
  queueMicrotask(() => {
    throw reason;
  });
}

function tickNow(): number {
  return Math.floor(performance.now() / TICK_MS);
}
