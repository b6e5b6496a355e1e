import { PluginResponse } from "@orchestrator/protocol";
import { type Link, LinkPeer, memoryLinkPair } from "@orchestrator/transport";
import { expect, it } from "vitest";
import { followLog } from "./follow-log.ts";
import { HubLog } from "./hub-log.ts";
import { Port } from "./port.ts";

/** An operator that follows a log; each step of the iterator reads one message. */
function follow(log: HubLog, source = "") {
  let port: Port | undefined;
  const operator = new LinkPeer();
  memoryLinkPair({
    accept: [
      (link: Link) => {
        port = new Port(link, { id: "operator", kind: "operator" }, undefined, {
          request: (at, call) => followLog({ port: at, call, requestId: "r" }, log, source, log.tail(10_000, source)),
          portClosed: () => {},
          portFailed: () => {},
        });
        return port;
      },
      operator.accept,
    ],
  });
  const messages = operator.stream(new Uint8Array());
  return {
    messages,
    /** Lines of the next message, and its size. */
    next: async () => {
      const { value } = await messages.next();
      const { response } = PluginResponse.decode(value!);
      if (response?.$case !== "control" || response.value.result?.$case !== "logs") throw new Error("no logs");
      return { lines: response.value.result.value.lines.map(({ text }) => text), bytes: value!.length };
    },
  };
}

const generous = { limits: { burstLines: 1e6, burstLength: 1e9 } };

it("sends past lines and new ones, in order, of the source that is asked for", async () => {
  const log = new HubLog();
  log.write("info", "a", "past");
  log.write("info", "b", "not meant");
  const { next, messages } = follow(log, "a");
  expect((await next()).lines).toEqual(["past"]);
  log.write("info", "a", "new");
  log.write("info", "b", "not meant");
  expect((await next()).lines).toEqual(["new"]);
  await messages.return();
});

it("sends long lines in messages of 1 MiB at most", async () => {
  const log = new HubLog(generous);
  for (let n = 0; n < 200; n += 1) log.write("info", "a", `${n} ${"x".repeat(16_000)}`);
  const { next, messages } = follow(log);
  const sizes: number[] = [];
  const numbers: number[] = [];
  while (numbers.length < 200) {
    const { lines, bytes } = await next();
    sizes.push(bytes);
    numbers.push(...lines.map((line) => Number.parseInt(line, 10)));
  }
  expect(numbers).toEqual(Array.from({ length: 200 }, (_, n) => n));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1024 * 1024);
  expect(sizes.length).toBeLessThan(6);
  await messages.return();
});

it("holds 4 MiB for a follower that does not read, and tells it how many lines are missing", async () => {
  const log = new HubLog(generous);
  const { next, messages } = follow(log);
  await next();
  for (let n = 0; n < 3_000; n += 1) {
    log.write("info", "a", `${n} ${"x".repeat(10_000)}`);
    if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  let read = 0;
  let last = "";
  while (!last.endsWith("faster than they were read")) {
    const { lines } = await next();
    read += lines.length;
    last = lines.at(-1)!;
  }
  const missing = Number.parseInt(last, 10);
  expect(read - 1 + missing).toBe(3_000);
  expect(read).toBeLessThan(700);
  await messages.return();
});
