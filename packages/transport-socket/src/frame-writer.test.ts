import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { Backlog } from "./backlog.ts";
import { FrameKind } from "./frame.ts";
import { FrameParser } from "./frame-parser.ts";
import { FrameWriter } from "./frame-writer.ts";

/** Holds what is written, as a socket that is full does, until `drain`; only then are the bytes read. */
function held(): { writer: FrameWriter; drain(): Promise<Map<number, string>> } {
  const chunks: { bytes: Uint8Array; done: () => void }[] = [];
  const socket = new Duplex({
    read: () => {},
    write: (bytes: Buffer, _encoding, done) => {
      chunks.push({ bytes, done });
    },
  });
  const backlog = new Backlog(Number.MAX_SAFE_INTEGER);
  const writer = new FrameWriter(socket, { backlog, onBulkSent: () => {}, onHopeless: () => {} });
  const drain = async () => {
    const seen = new Map<number, string>();
    const parser = new FrameParser((_kind, call, payload) => seen.set(call, Buffer.from(payload).toString("latin1")));
    await new Promise(setImmediate);
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      parser.push(Buffer.from(chunk.bytes));
      chunk.done();
      await new Promise(setImmediate);
    }
    return seen;
  };
  return { writer, drain };
}

const textOf = (call: number, length: number) => `${call}`.padEnd(length, String.fromCharCode(97 + (call % 26)));

function sourceOf(text: string) {
  const writeTo = (into: Uint8Array, at: number) => {
    Buffer.from(into.buffer, into.byteOffset).write(text, at, "latin1");
  };
  return { length: text.length, writeTo };
}

describe("FrameWriter", () => {
  it.each([10, 616, 8_000])(
    "writes messages of %i bytes from where they are made, also where they do not fit into what is gathered",
    async (length) => {
      const { writer, drain } = held();
      const wanted = new Map<number, string>();
      for (let call = 1; call * length < 600_000 && call <= 12_000; call += 1) {
        const text = textOf(call, length);
        wanted.set(call, text);
        if (call % 3 === 0) writer.frame(FrameKind.RequestLast, call, Buffer.from(text, "latin1"));
        else writer.frameFrom(FrameKind.RequestLast, call, sourceOf(text));
      }
      expect(await drain()).toEqual(wanted);
    },
  );

  it("leaves alone what the socket still holds", async () => {
    const { writer, drain } = held();
    const wanted = new Map<number, string>();
    for (let call = 1; call <= 400; call += 1) {
      const text = textOf(call, 1 + ((call * 379) % 9_000));
      wanted.set(call, text);
      writer.frameFrom(FrameKind.RequestLast, call, sourceOf(text));
      if (call % 7 === 0) writer.flush();
      if (call % 50 === 0) await Promise.resolve();
    }
    expect(await drain()).toEqual(wanted);
  });
});
