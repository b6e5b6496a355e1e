/** Slots that a table starts with. A power of two. */
const FIRST_SLOTS = 64;
/** A table grows no further than this; beyond, what finds its slot taken lies in a Map. */
const MOST_SLOTS = 64 * 1024;

/** Stands where no id is: it equals nothing. */
const NO_ID = Number.NaN;

/**
 * What is under way on a link, by call id: any whole number. Ids are given out in order, so their last bits nearly never meet: an
 * entry lies in the slot that they name, and the few that find theirs taken by a long call lie in a Map beside it.
 */
export class IdTable<Value> {
  #ids = new Float64Array(FIRST_SLOTS).fill(NO_ID);
  #values: (Value | undefined)[] = new Array(FIRST_SLOTS).fill(undefined);
  #mask = FIRST_SLOTS - 1;
  #size = 0;
  readonly #beside = new Map<number, Value>();

  get size(): number {
    return this.#size;
  }

  get(id: number): Value | undefined {
    const slot = slotOf(id) & this.#mask;
    if (this.#ids[slot] === id) return this.#values[slot];
    return this.#beside.size === 0 ? undefined : this.#beside.get(id);
  }

  has(id: number): boolean {
    return this.#ids[slotOf(id) & this.#mask] === id || (this.#beside.size > 0 && this.#beside.has(id));
  }

  set(id: number, value: Value): void {
    const slot = slotOf(id) & this.#mask;
    const holder = this.#ids[slot]!;
    if (holder === id) {
      this.#values[slot] = value;
      return;
    }
    if (Number.isNaN(holder) && (this.#beside.size === 0 || !this.#beside.has(id))) {
      this.#ids[slot] = id;
      this.#values[slot] = value;
      this.#size += 1;
      return;
    }
    if (!this.#beside.has(id)) this.#size += 1;
    this.#beside.set(id, value);
    if (this.#beside.size > this.#ids.length >>> 2 && this.#ids.length < MOST_SLOTS) this.#grow();
  }

  /** @returns whether it was there */
  delete(id: number): boolean {
    const slot = slotOf(id) & this.#mask;
    if (this.#ids[slot] === id) {
      this.#ids[slot] = NO_ID;
      this.#values[slot] = undefined;
      this.#size -= 1;
      return true;
    }
    if (this.#beside.size === 0 || !this.#beside.delete(id)) return false;
    this.#size -= 1;
    return true;
  }

  clear(): void {
    this.#ids.fill(NO_ID);
    this.#values.fill(undefined);
    this.#beside.clear();
    this.#size = 0;
  }

  /** In no order that means anything; the table may change meanwhile. */
  values(): Value[] {
    const values: Value[] = [];
    for (let slot = 0; slot < this.#ids.length; slot += 1) {
      if (!Number.isNaN(this.#ids[slot]!)) values.push(this.#values[slot]!);
    }
    values.push(...this.#beside.values());
    return values;
  }

  #grow(): void {
    const ids = this.#ids;
    const values = this.#values;
    const beside = [...this.#beside];
    this.#beside.clear();
    this.#ids = new Float64Array(ids.length * 2).fill(NO_ID);
    this.#values = new Array(ids.length * 2).fill(undefined);
    this.#mask = this.#ids.length - 1;
    this.#size = 0;
    for (let slot = 0; slot < ids.length; slot += 1) {
      if (!Number.isNaN(ids[slot]!)) this.set(ids[slot]!, values[slot]!);
    }
    for (const [id, value] of beside) this.set(id, value);
  }
}

/** Ids rise by one or two, or by four where they are those of streams: all of them spread over all slots. */
function slotOf(id: number): number {
  return id ^ (id >>> 2);
}
