/**
 * Decides when a peer that does not read is given up, so that it cannot make this process grow without end. One that reads
 * slowly has not earned that: it is given up when it took nothing at all while a quarter of the limit came on top, or when
 * four times the limit wait for it.
 */
export class Backlog {
  readonly #limit: number;
  #nextLook: number;
  #takenAtLook = -1;

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
    this.#nextLook = limit;
  }

  /**
   * @param waiting bytes that wait for the peer now
   * @param taken bytes that it has taken since the link began
   */
  isHopeless(waiting: number, taken: number): boolean {
    if (waiting < this.#nextLook) {
      if (waiting < this.#limit && this.#takenAtLook !== -1) {
        this.#nextLook = this.#limit;
        this.#takenAtLook = -1;
      }
      return false;
    }
    if (taken === this.#takenAtLook || waiting > 4 * this.#limit) return true;
    this.#takenAtLook = taken;
    this.#nextLook = waiting + this.#limit / 4;
    return false;
  }
}
