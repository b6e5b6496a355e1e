import { brokenFrame, FrameKind, HEADER_BYTES, MAX_PIECE_BYTES, readUint32 } from "./frame.ts";

/** Called for every frame; the payload is the receiver's to keep. */
export type OnFrame = (kind: number, call: number, payload: Uint8Array) => void;

const NOTHING = new Uint8Array(0);

/**
 * Cuts a byte stream into frames. A frame that lies in one chunk is handed on as a view of it, without a copy; one that does not
 * is gathered in a buffer of its own size, which is known and checked before anything is held.
 */
export class FrameParser {
  readonly #onFrame: OnFrame;
  /** A header of which some bytes are missing. */
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  /** The payload of a frame whose header is complete. */
  #payload: Uint8Array | undefined;
  #filled = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** True between frames: the stream may end here without having been cut off. */
  get idle(): boolean {
    return this.#headerBytes === 0;
  }

  /** @throws {HubError} `PROTOCOL` for a length or kind that cannot be; there is no way back into step */
  push(chunk: Uint8Array): void {
    let at = this.#headerBytes === 0 ? 0 : this.#resume(chunk);
    const end = chunk.length;
    while (end - at >= HEADER_BYTES) {
      const payloadBytes = payloadLength(chunk, at);
      const next = at + HEADER_BYTES + payloadBytes;
      if (next > end) break;
      const payload = payloadBytes === 0 ? NOTHING : chunk.subarray(at + HEADER_BYTES, next);
      this.#onFrame(chunk[at + 8]!, readUint32(chunk, at + 4), payload);
      at = next;
    }
    if (at < end) this.#hold(chunk, at);
  }

  /** Goes on with a frame of which only a part has arrived. @returns where the next frame starts in the chunk */
  #resume(chunk: Uint8Array): number {
    let at = 0;
    while (this.#headerBytes < HEADER_BYTES) {
      if (at === chunk.length) return at;
      this.#header[this.#headerBytes++] = chunk[at++]!;
    }
    this.#payload ??= Buffer.allocUnsafeSlow(payloadLength(this.#header, 0));
    const count = Math.min(this.#payload.length - this.#filled, chunk.length - at);
    this.#payload.set(chunk.subarray(at, at + count), this.#filled);
    this.#filled += count;
    at += count;
    if (this.#filled < this.#payload.length) return at;
    const payload = this.#payload;
    this.#headerBytes = 0;
    this.#payload = undefined;
    this.#filled = 0;
    this.#onFrame(this.#header[8]!, readUint32(this.#header, 4), payload);
    return at;
  }

  #hold(chunk: Uint8Array, at: number): void {
    const count = Math.min(HEADER_BYTES, chunk.length - at);
    this.#header.set(chunk.subarray(at, at + count));
    this.#headerBytes = count;
    if (count < HEADER_BYTES) return;
    this.#payload = Buffer.allocUnsafeSlow(payloadLength(this.#header, 0));
    this.#filled = chunk.length - at - HEADER_BYTES;
    this.#payload.set(chunk.subarray(at + HEADER_BYTES));
  }
}

function payloadLength(bytes: Uint8Array, at: number): number {
  const length = readUint32(bytes, at);
  if (length < 5 || length > MAX_PIECE_BYTES + 5) throw brokenFrame(`a frame of ${length} bytes`);
  if (bytes[at + 8]! > FrameKind.LongRequest) throw brokenFrame(`frame kind ${bytes[at + 8]}`);
  return length - 5;
}
