import { MAX_FRAME_BYTES } from "@orchestrator/protocol";
import { brokenFrame } from "./frame.ts";

/**
 * How large the buffer is, step by step. Memory that nothing was written to yet costs nothing but its address, so large steps
 * are cheap, and what has to be moved to the next buffer is never much.
 */
const STEPS = [256 * 1024, 1024 * 1024, 4 * 1024 * 1024, MAX_FRAME_BYTES];

/**
 * Puts the pieces of a long message together as they come. To keep them until the last is here and copy all of them then would
 * hold up every small call on this process for many milliseconds.
 */
export class LongMessage {
  #buffer = Buffer.allocUnsafeSlow(STEPS[0]!);
  #length = 0;

  /** What is here so far. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** @throws {HubError} `PROTOCOL` when it grows past 16 MiB */
  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > MAX_FRAME_BYTES) throw brokenFrame(`a message of more than ${MAX_FRAME_BYTES} bytes`);
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(STEPS.find((size) => size >= length)!);
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(piece, this.#length);
    this.#length = length;
  }
}
