import { Buffer } from "node:buffer";
import type { Socket } from "node:dgram";
import { versions } from "node:process";

/** Datagrams are written one behind the other into blocks of this size, which stay in the processor's cache. */
const BLOCK_BYTES = 64 * 1024;

/**
 * Memory for datagrams. One allocation per datagram is dear, and a buffer cannot be used again right after it was sent: where the
 * socket is full, the system reads it later. So blocks are used up piece by piece, and used again if nothing waits by then.
 */
export class DatagramArena {
  readonly #datagramBytes: number;
  readonly #socket: Socket;
  #block = Buffer.allocUnsafeSlow(0);
  #used = 0;

  constructor(datagramBytes: number, socket: Socket) {
    this.#datagramBytes = datagramBytes;
    this.#socket = socket;
  }

  /** Room for the largest datagram. */
  reserve(): Uint8Array {
    if (this.#block.length - this.#used < this.#datagramBytes) this.#turnOver();
    return this.#block.subarray(this.#used, this.#used + this.#datagramBytes);
  }

  /** Keeps the first `bytes` of what was reserved. */
  take(bytes: number): Uint8Array {
    const start = this.#used;
    this.#used += bytes;
    return this.#block.subarray(start, this.#used);
  }

  #turnOver(): void {
    this.#used = 0;
    if (this.#block.length > 0 && this.#nothingWaits()) return;
    this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, 4 * this.#datagramBytes));
  }

  #nothingWaits(): boolean {
    // Deno sends in the background and counts nothing.
    return versions["deno"] === undefined && this.#socket.getSendQueueCount() === 0;
  }
}
