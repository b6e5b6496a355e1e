import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { LineWriter } from "./line-writer.ts";

describe("LineWriter", () => {
  it("writes the lines of one turn at once", async () => {
    const writes: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        writes.push(String(chunk));
        done();
      },
    });
    const writer = new LineWriter(stream, () => {});
    writer.write("a");
    writer.write("b");
    await writer.flushed();
    writer.write("c");
    await writer.flushed();
    await writer.flushed();
    expect(writes).toEqual(["a\nb\n", "c\n"]);
  });

  it("is congested until the reader has caught up", async () => {
    const stream = new PassThrough({ highWaterMark: 4 });
    let drained = 0;
    const writer = new LineWriter(stream, () => drained++);
    writer.write("12345678");
    await new Promise((resolve) => setImmediate(resolve));
    expect(writer.congested).toBe(true);
    expect(drained).toBe(0);
    const drain = new Promise((resolve) => stream.once("drain", resolve));
    stream.resume();
    await drain;
    expect(writer.congested).toBe(false);
    expect(drained).toBe(1);
  });

  it("survives a reader that goes away", async () => {
    const stream = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      },
    });
    const writer = new LineWriter(stream, () => {});
    writer.write("a");
    await writer.closed;
    writer.write("b");
    await writer.flushed();
  });
});
