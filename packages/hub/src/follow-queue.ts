export interface FollowQueueOptions<T> {
  /** Of what waits for a follower that reads slowly; more is dropped, and it is told how much. */
  readonly capacity: number;
  /** Of one message, about. One that is larger holds up everything else on its link. */
  readonly perMessage: number;
  /** In the unit of the two. */
  readonly sizeOf: (item: T) => number;
  /** Tells of what was dropped. */
  readonly missing: (count: number) => T;
}

/** What happened and was not sent yet, for one follower. */
export class FollowQueue<T> {
  readonly #options: FollowQueueOptions<T>;
  readonly #items: T[] = [];
  #size = 0;
  #dropped = 0;
  #hasBegun = false;

  constructor(options: FollowQueueOptions<T>) {
    this.#options = options;
  }

  push(item: T): void {
    const size = this.#options.sizeOf(item);
    if (this.#size + size > this.#options.capacity) {
      this.#dropped += 1;
      return;
    }
    this.#items.push(item);
    this.#size += size;
  }

  /** What the next message holds, if there is one. The first one may be empty: it tells the follower that it is heard. */
  take(): T[] | undefined {
    if (this.#items.length === 0 && this.#hasBegun) return undefined;
    this.#hasBegun = true;
    const { perMessage, sizeOf, missing } = this.#options;
    let count = 0;
    let taken = 0;
    for (; count < this.#items.length; count += 1) {
      const size = sizeOf(this.#items[count]!);
      if (count > 0 && taken + size > perMessage) break;
      taken += size;
    }
    const items = this.#items.splice(0, count);
    this.#size -= taken;
    if (this.#items.length === 0 && this.#dropped > 0) {
      items.push(missing(this.#dropped));
      this.#dropped = 0;
    }
    return items;
  }
}
