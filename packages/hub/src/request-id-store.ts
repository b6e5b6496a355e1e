/** Ids up to here lie in the store; UUIDs have 36. */
const PLACE_BYTES = 64;
const FIRST_PLACES = 256;

/**
 * The ids of the requests under way, as bytes side by side: an answer's id is compared with them where it lies, and no text is
 * made of either. The bytes are copied, or a request would keep alive all that arrived in one read with it.
 */
export class RequestIdStore {
  #bytes = new Uint8Array(FIRST_PLACES * PLACE_BYTES);
  #free: number[] = [];
  #used = 0;

  /** @returns the place of the id, or -1 for one that is too long and has to be kept otherwise */
  put(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length > PLACE_BYTES) return -1;
    const place = this.#free.pop() ?? this.#newPlace();
    const at = place * PLACE_BYTES;
    for (let index = 0; index < length; index += 1) this.#bytes[at + index] = bytes[start + index]!;
    return place;
  }

  /** Whether the id in `[start, end)` is the one of `length` bytes at that place. */
  isAt(place: number, length: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start !== length) return false;
    const at = place * PLACE_BYTES;
    for (let index = 0; index < length; index += 1) if (this.#bytes[at + index] !== bytes[start + index]) return false;
    return true;
  }

  text(place: number, length: number): string {
    const at = place * PLACE_BYTES;
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.#bytes.subarray(at, at + length));
  }

  /** Once per place. */
  release(place: number): void {
    this.#free.push(place);
  }

  #newPlace(): number {
    if (this.#used * PLACE_BYTES === this.#bytes.length) {
      const more = new Uint8Array(this.#bytes.length * 2);
      more.set(this.#bytes);
      this.#bytes = more;
    }
    this.#used += 1;
    return this.#used - 1;
  }
}
