import { ErrorCode, HubError } from "./errors.ts";

/** The longest payload of a frame, inclusive: 16 MiB. Deployed peers enforce the same number. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** A frame starts with the length of its payload: big-endian uint32. */
export const FRAME_HEADER_BYTES = 4;

/** What a reader starts with for a frame that comes in pieces; it grows only as bytes arrive, whatever the header claims. */
const FIRST_ALLOCATION_BYTES = 16 * 1024;

/**
 * One frame: header, then a copy of `payload`.
 * @throws {HubError} `FRAME_TOO_LARGE` above {@link MAX_FRAME_BYTES}
 */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  writeFrameHeader(frame, 0, payload.length);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/**
 * Writes the four header bytes of a frame at `offset`.
 * @throws {HubError} `FRAME_TOO_LARGE` above {@link MAX_FRAME_BYTES}
 */
export function writeFrameHeader(into: Uint8Array, offset: number, length: number): void {
  if (length > MAX_FRAME_BYTES) throw tooLarge("write", length, MAX_FRAME_BYTES);
  into[offset] = length >>> 24;
  into[offset + 1] = length >>> 16;
  into[offset + 2] = length >>> 8;
  into[offset + 3] = length;
}

/**
 * Cuts a byte stream into frames, whatever the pieces in which it arrives, in time linear in the bytes.
 * A frame that lies in one chunk is delivered as a view of that chunk, without a copy: the chunk must not be reused.
 * Memory held is at most about twice what has arrived of the current frame, and never more than one frame.
 */
export class FrameReader {
  readonly #sink: (payload: Uint8Array) => void;
  readonly #maxFrameBytes: number;
  /** Bytes of the header that have arrived, 0 to 3, while no payload is under way. */
  #headerBytes = 0;
  #length = 0;
  #payload: Uint8Array | undefined;
  #filled = 0;
  #failure: HubError | undefined;

  /** @param sink is called synchronously with every payload, in order */
  constructor(sink: (payload: Uint8Array) => void, maxFrameBytes = MAX_FRAME_BYTES) {
    this.#sink = sink;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** True between frames: the stream may end here without having been cut off. */
  get idle(): boolean {
    return this.#headerBytes === 0 && this.#payload === undefined;
  }

  /**
   * Takes the next bytes of the stream. What the sink throws comes out of here, and the reader stays usable: the payload
   * counts as delivered, the rest of the chunk is lost.
   * @throws {HubError} `FRAME_TOO_LARGE` as soon as a header is complete, before any payload is buffered. Every later
   * push throws the same error: there is no way back into step.
   */
  push(chunk: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure;
    const end = chunk.length;
    let pos = this.#payload === undefined ? 0 : this.#fill(chunk, 0);
    while (pos < end) {
      pos = this.#readHeader(chunk, pos);
      if (pos < 0) return;
      const length = this.#length;
      if (end - pos >= length) {
        const start = pos;
        pos += length;
        this.#sink(chunk.subarray(start, pos));
        continue;
      }
      this.#payload = new Uint8Array(Math.min(length, Math.max(FIRST_ALLOCATION_BYTES, end - pos)));
      this.#filled = 0;
      pos = this.#fill(chunk, pos);
    }
  }

  /** @returns the position after the header, or -1 when the chunk ended inside it */
  #readHeader(chunk: Uint8Array, start: number): number {
    let pos = start;
    let have = this.#headerBytes;
    let length = have === 0 ? 0 : this.#length;
    while (have < FRAME_HEADER_BYTES) {
      if (pos === chunk.length) {
        this.#headerBytes = have;
        this.#length = length;
        return -1;
      }
      length = ((length << 8) | chunk[pos++]!) >>> 0;
      have++;
    }
    this.#headerBytes = 0;
    this.#length = length;
    if (length > this.#maxFrameBytes) {
      this.#failure = tooLarge("read", length, this.#maxFrameBytes);
      throw this.#failure;
    }
    return pos;
  }

  /** Adds to the payload under way; @returns the position after what was used. */
  #fill(chunk: Uint8Array, start: number): number {
    let payload = this.#payload!;
    const take = Math.min(this.#length - this.#filled, chunk.length - start);
    const filled = this.#filled + take;
    if (filled > payload.length) {
      // Doubling keeps the copying linear in the bytes that arrived.
      const grown = new Uint8Array(Math.min(this.#length, Math.max(filled, payload.length * 2)));
      grown.set(payload.subarray(0, this.#filled));
      payload = grown;
      this.#payload = grown;
    }
    payload.set(start === 0 && take === chunk.length ? chunk : chunk.subarray(start, start + take), this.#filled);
    this.#filled = filled;
    if (filled === this.#length) {
      this.#payload = undefined;
      this.#sink(payload);
    }
    return start + take;
  }
}

function tooLarge(what: "read" | "write", length: number, maxFrameBytes: number): HubError {
  return new HubError(ErrorCode.FrameTooLarge, `Cannot ${what} frame: ${length} bytes, the limit is ${maxFrameBytes}`);
}
