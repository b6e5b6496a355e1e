import { ErrorCode } from "@orchestrator/protocol";
import { pattern } from "@orchestrator/transport/conformance";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameError } from "../src/frame.ts";
import { FrameParser } from "../src/frame-parser.ts";
import { frame } from "./support/raw-peer.ts";

/** The longest payload there is, in which every byte tells its place: made at once, where one of random bytes takes far longer. */
const longest = fc.nat({ max: 255 }).map((seed) => pattern(65_536, seed));
const frames = fc.array(
  fc.record({
    kind: fc.integer({ min: 0, max: 11 }),
    call: fc.nat({ max: 0xffffffff }),
    payload: fc.oneof(fc.uint8Array({ maxLength: 40 }), longest),
  }),
  { maxLength: 12 },
);
/** Lengths of chunks; repeated as often as needed. */
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 70_000 })), { minLength: 1 });

function* split(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = Math.min(bytes.length, at + lengths[turn % lengths.length]!);
    // A copy: what a parser holds on to must be its own.
    yield Buffer.from(bytes.subarray(at, end));
    at = end;
  }
}

describe("FrameParser", () => {
  it("gives the same frames however the bytes are split", () => {
    const property = fc.property(frames, cuts, (sent, lengths) => {
      const bytes = Buffer.concat(sent.map(({ kind, call, payload }) => frame(kind, call, payload)));
      // Chunks of a few bytes and payloads of 64 KiB together only take long.
      fc.pre(bytes.length < 100_000 || Math.max(...lengths) > 1_000);
      const seen: Buffer[] = [];
      const parser = new FrameParser((kind, call, payload) => void seen.push(frame(kind, call, payload)));
      for (const chunk of split(bytes, lengths)) parser.push(chunk);
      expect(Buffer.concat(seen).equals(bytes)).toBe(true);
      expect(seen.length).toBe(sent.length);
      expect(parser.idle).toBe(true);
    });
    fc.assert(property, { numRuns: 60 });
  });

  it("refuses a length or kind that cannot be with the last byte of its header, before it holds anything", () => {
    const length = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 65_542, max: 0xffffffff }));
    const header = fc.oneof(
      fc.record({ length, kind: fc.integer({ min: 0, max: 255 }) }),
      fc.record({ length: fc.integer({ min: 5, max: 65_541 }), kind: fc.integer({ min: 12, max: 255 }) }),
    );
    const property = fc.property(header, fc.integer({ min: 0, max: 8 }), fc.boolean(), (hostile, cut, behind) => {
      const bytes = frame(hostile.kind, 7);
      bytes.writeUInt32BE(hostile.length, 0);
      let heard = 0;
      const parser = new FrameParser(() => heard++);
      parser.push(behind ? Buffer.concat([frame(9, 0), bytes.subarray(0, cut)]) : bytes.subarray(0, cut));
      expect(() => parser.push(bytes.subarray(cut))).toThrow(expect.objectContaining({ code: ErrorCode.Protocol }));
      expect(heard).toBe(behind ? 1 : 0);
    });
    fc.assert(property);
  });

  it("takes any bytes: frames of at most 64 KiB, or a refusal", () => {
    const property = fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (chunks) => {
      const parser = new FrameParser((kind, _call, payload) => {
        expect(kind).toBeLessThanOrEqual(11);
        expect(payload.length).toBeLessThanOrEqual(65_536);
      });
      try {
        for (const chunk of chunks) parser.push(chunk);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    });
    fc.assert(property);
  });

  it("is not idle inside a frame", () => {
    const parser = new FrameParser(() => {});
    const bytes = frame(1, 1, "abc");
    for (let at = 0; at < bytes.length; at++) {
      expect(parser.idle).toBe(at === 0);
      parser.push(bytes.subarray(at, at + 1));
    }
    expect(parser.idle).toBe(true);
  });
});
