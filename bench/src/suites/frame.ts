import { encodeFrame, FrameReader } from "@orchestrator/protocol";
import { compare } from "../compare.ts";
import { TOOL_CALL } from "../envelope.ts";
import type { Suite } from "../suite.ts";

/** What is written first: everything that has come is put together again with every chunk. */
class ConcatReader {
  readonly #sink: (payload: Uint8Array) => void;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(sink: (payload: Uint8Array) => void) {
    this.#sink = sink;
  }

  push(chunk: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 4) {
      const length = this.#bytes.readUInt32BE(0);
      if (this.#bytes.length < 4 + length) return;
      this.#sink(Buffer.from(this.#bytes.subarray(4, 4 + length)));
      this.#bytes = this.#bytes.subarray(4 + length);
    }
  }
}

/** The bytes of many frames, cut where a socket would cut them. */
function chunks(payload: Uint8Array, frames: number, chunkBytes: number): Uint8Array[] {
  const all = Buffer.concat(Array.from({ length: frames }, () => encodeFrame(payload)));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < all.length; at += chunkBytes) pieces.push(all.subarray(at, at + chunkBytes));
  return pieces;
}

function readAll(pieces: readonly Uint8Array[], frames: number, Reader: typeof FrameReader | typeof ConcatReader) {
  return () => {
    let seen = 0;
    const reader = new Reader(() => {
      seen += 1;
    });
    for (const piece of pieces) reader.push(piece);
    if (seen !== frames) throw new Error(`${seen} frames of ${frames}`);
  };
}

/** Frames of a byte stream, beside what one writes first. */
export const frameSuite: Suite = {
  name: "frame",
  run: async (context) => {
    const small = chunks(TOOL_CALL, 1_000, 64 * 1024);
    const large = chunks(new Uint8Array(1024 * 1024), 2, 64 * 1024);
    const header = Buffer.alloc(4);
    let sink: Uint8Array = header;
    const results = compare(
      [
        {
          name: "frame-encode/616B",
          peerName: "Buffer.concat",
          ours: () => {
            sink = encodeFrame(TOOL_CALL);
          },
          peer: () => {
            const head = Buffer.alloc(4);
            head.writeUInt32BE(TOOL_CALL.length);
            sink = Buffer.concat([head, TOOL_CALL]);
          },
        },
        {
          name: "frame-read/1000x616B",
          peerName: "reader that concatenates",
          ours: readAll(small, 1_000, FrameReader),
          peer: readAll(small, 1_000, ConcatReader),
          batch: 1,
        },
        {
          name: "frame-read/2x1MiB",
          peerName: "reader that concatenates",
          ours: readAll(large, 2, FrameReader),
          peer: readAll(large, 2, ConcatReader),
          batch: 1,
        },
      ],
      context,
    );
    if (sink.length !== 4 + TOOL_CALL.length) throw new Error("nothing was written");
    return results;
  },
};
