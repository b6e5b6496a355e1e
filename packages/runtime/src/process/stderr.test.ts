import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { createStderrLog } from "./stderr.ts";

/** A pipe that nobody reads until `read` is called. */
function unread() {
  const lines: string[] = [];
  let go: (() => void) | undefined;
  let isRead = false;
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(...String(chunk).trimEnd().split("\n"));
      if (isRead) done();
      else go = done;
    },
  });
  const read = async () => {
    isRead = true;
    go?.();
    while (stream.writableLength > 0) await new Promise(setImmediate);
  };
  return { stream: stream as unknown as NodeJS.WriteStream, lines, read };
}

it("drops lines that nobody reads, and says how many as soon as somebody does, with nothing else to say", async () => {
  const { stream, lines, read } = unread();
  const log = createStderrLog(stream);
  const text = "x".repeat(1_000);
  for (let i = 0; i < 2_000; i++) log.info(text);
  expect(stream.writableLength).toBeLessThan(1024 * 1024 + 2_000);
  await read();
  const kept = lines.filter((line) => line === `info: ${text}`).length;
  expect(kept).toBeLessThan(2_000);
  expect(lines.at(-1)).toBe(`warn: ${2_000 - kept} log lines were dropped because nobody read them`);
  log.info("after");
  await read();
  expect(lines.slice(kept)).toEqual([lines[kept], "info: after"]);
});
