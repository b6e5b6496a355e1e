import { Buffer } from "node:buffer";

/** Datagrams are written one behind the other into blocks of this size. */
const BLOCK_BYTES = 256 * 1024;

/**
 * Memory for datagrams. A buffer cannot be used again right after it was sent (where the socket is full, the system reads it
 * later), and one allocation per datagram is dear; so blocks are used up piece by piece and left to the collector.
 */
export class DatagramArena {
  readonly #datagramBytes: number;
  #block = Buffer.allocUnsafeSlow(0);
  #used = 0;

  constructor(datagramBytes: number) {
    this.#datagramBytes = datagramBytes;
  }

  /** Room for the largest datagram. */
  reserve(): Uint8Array {
    if (this.#block.length - this.#used < this.#datagramBytes) {
      this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, this.#datagramBytes));
      this.#used = 0;
    }
    return this.#block.subarray(this.#used, this.#used + this.#datagramBytes);
  }

  /** Keeps the first `bytes` of what was reserved. */
  take(bytes: number): Uint8Array {
    const start = this.#used;
    this.#used += bytes;
    return this.#block.subarray(start, this.#used);
  }
}
