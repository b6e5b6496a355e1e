import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode, HubError } from "./errors.ts";
import { encodeFrame, FrameReader, MAX_FRAME_BYTES, writeFrameHeader } from "./frame.ts";

function header(length: number): Uint8Array {
  return Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function codeOf(action: () => void): string {
  try {
    action();
  } catch (error) {
    if (error instanceof HubError) return error.code;
    throw error;
  }
  return "nothing thrown";
}

describe("encodeFrame", () => {
  it("puts a big-endian length in front, and takes 16 MiB but not a byte more", () => {
    expect(encodeFrame(Uint8Array.of(7, 8))).toEqual(Uint8Array.of(0, 0, 0, 2, 7, 8));
    expect(encodeFrame(new Uint8Array(0))).toEqual(Uint8Array.of(0, 0, 0, 0));
    expect(encodeFrame(new Uint8Array(MAX_FRAME_BYTES)).subarray(0, 4)).toEqual(Uint8Array.of(1, 0, 0, 0));
    expect(codeOf(() => encodeFrame(new Uint8Array(MAX_FRAME_BYTES + 1)))).toBe(ErrorCode.FrameTooLarge);
    expect(codeOf(() => writeFrameHeader(new Uint8Array(4), 0, MAX_FRAME_BYTES + 1))).toBe(ErrorCode.FrameTooLarge);
  });
});

describe("FrameReader", () => {
  it("delivers the same payloads however the stream is cut", () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });
    const cuts = fc.array(fc.nat({ max: 4000 }), { maxLength: 30 });
    fc.assert(
      fc.property(payloads, cuts, (sent, positions) => {
        const stream = join(sent.map(encodeFrame));
        const got: Uint8Array[] = [];
        const reader = new FrameReader((payload) => got.push(payload));
        let from = 0;
        for (const cut of [
          ...positions.filter((position) => position < stream.length).sort((a, b) => a - b),
          stream.length,
        ]) {
          reader.push(stream.slice(from, cut));
          from = cut;
        }
        expect(got).toEqual(sent);
        expect(reader.idle).toBe(true);
      }),
    );
  });

  it("hands out views, without copying, of frames that lie in one chunk", () => {
    const chunk = join([encodeFrame(Uint8Array.of(1)), encodeFrame(Uint8Array.of(2, 3))]);
    const got: Uint8Array[] = [];
    new FrameReader((payload) => got.push(payload)).push(chunk);
    expect(got).toEqual([Uint8Array.of(1), Uint8Array.of(2, 3)]);
    expect(got.every((payload) => payload.buffer === chunk.buffer)).toBe(true);
  });

  it("is idle only between frames", () => {
    const reader = new FrameReader(() => {});
    const states = [...encodeFrame(Uint8Array.of(5, 6))].map((byte) => {
      reader.push(Uint8Array.of(byte));
      return reader.idle;
    });
    expect(states).toEqual([false, false, false, false, false, true]);
  });

  it("copies a frame that dribbles in byte by byte in linear time", () => {
    const payload = new Uint8Array(1024 * 1024).map((_, index) => index);
    const got: Uint8Array[] = [];
    const reader = new FrameReader((received) => got.push(received));
    // With one concatenation per byte this would copy 500 GiB.
    for (const byte of encodeFrame(payload)) reader.push(Uint8Array.of(byte));
    expect(got).toHaveLength(1);
    expect(got[0]!.every((byte, index) => byte === payload[index])).toBe(true);
  });

  it("holds memory for what has arrived, not for what a header claims", () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 64 }, () => {
      const reader = new FrameReader(() => {});
      reader.push(header(MAX_FRAME_BYTES));
      reader.push(new Uint8Array(100));
      return reader;
    });
    // 64 claims of 16 MiB make 1 GiB; a reader takes 16 KiB at first.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
    expect(readers.some((reader) => reader.idle)).toBe(false);
  });

  it("refuses a frame that is too long as soon as the header is there, and stays refusing", () => {
    for (const length of [MAX_FRAME_BYTES + 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
      let delivered = 0;
      const reader = new FrameReader(() => delivered++);
      const bytes = header(length);
      reader.push(bytes.subarray(0, 3));
      expect(codeOf(() => reader.push(bytes.subarray(3)))).toBe(ErrorCode.FrameTooLarge);
      expect(codeOf(() => reader.push(encodeFrame(Uint8Array.of(1))))).toBe(ErrorCode.FrameTooLarge);
      expect(delivered).toBe(0);
    }
  });

  it("takes a frame of exactly the limit", () => {
    const lengths: number[] = [];
    const reader = new FrameReader((payload) => lengths.push(payload.length));
    reader.push(header(MAX_FRAME_BYTES));
    for (let sent = 0; sent < MAX_FRAME_BYTES; sent += 1 << 20) reader.push(new Uint8Array(1 << 20));
    reader.push(header(0));
    expect(lengths).toEqual([MAX_FRAME_BYTES, 0]);
  });

  it("honours a lower limit", () => {
    const reader = new FrameReader(() => {}, 10);
    reader.push(encodeFrame(new Uint8Array(10)));
    expect(codeOf(() => reader.push(encodeFrame(new Uint8Array(11))))).toBe(ErrorCode.FrameTooLarge);
  });

  it("stays in step on hostile bytes: it delivers what the headers say or refuses, and nothing else", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (chunks) => {
        const bytes = join(chunks);
        const expected: Uint8Array[] = [];
        let refused = false;
        for (let at = 0; at + 4 <= bytes.length; ) {
          const length = new DataView(bytes.buffer).getUint32(at);
          refused = length > 40;
          if (refused || at + 4 + length > bytes.length) break;
          expected.push(bytes.slice(at + 4, at + 4 + length));
          at += 4 + length;
        }
        const got: Uint8Array[] = [];
        const reader = new FrameReader((payload) => got.push(payload), 40);
        const outcome = codeOf(() => {
          for (const chunk of chunks) reader.push(chunk);
        });
        expect(outcome).toBe(refused ? ErrorCode.FrameTooLarge : "nothing thrown");
        expect(got).toEqual(expected);
      }),
    );
  });

  it("passes on what its sink throws and goes on with the next chunk", () => {
    const got: number[] = [];
    const reader = new FrameReader((payload) => {
      got.push(payload[0]!);
      if (payload[0] === 1) throw new Error("sink");
    });
    const first = encodeFrame(Uint8Array.of(1));
    reader.push(first.subarray(0, 4));
    expect(() => reader.push(first.subarray(4))).toThrow("sink");
    reader.push(encodeFrame(Uint8Array.of(2)));
    expect(got).toEqual([1, 2]);
  });
});
