import { parentPort, workerData } from "node:worker_threads";
import { describeFailure } from "../failure.ts";
import { Slot } from "./lane.ts";
import type { WriterHello, WriterReply, WriterRequest, WriterResults, WriterStart, WriterWork } from "./messages.ts";
import { Writer } from "./writer.ts";

/**
 * The writer's thread. A commit waits for the disk, and SQLite's calls in Node do not let go of their thread meanwhile; here they
 * hold up nobody.
 */
const options = workerData as WriterStart;
const port = parentPort!;

function carryOut(writer: Writer, work: WriterWork): WriterResults[keyof WriterResults] {
  switch (work.kind) {
    case "batch":
      return writer.batch(work.kv, work.events);
    case "sweep":
      return writer.sweep(work.nowMs);
    case "prune":
      return writer.prune(work.beforeMs, work.maxRows);
    case "import":
      return writer.import(work.request);
    case "close":
      writer.close();
      return undefined;
  }
}

function carryOutSlot(writer: Writer, slot: Slot, number: number): WriterReply {
  const result = writer.batch(slot.take(), []);
  if (result.kv?.failures !== undefined || result.expired.length > 0) return { slot: number, result };
  slot.answer(result.kv!.numbers, result.commitMs);
  return number;
}

function serve(): WriterHello {
  let writer: Writer;
  try {
    writer = new Writer(options);
  } catch (error) {
    return { failure: describeFailure(error, options.file) };
  }
  const slots = options.lane.map((memory) => new Slot(memory));
  port.on("message", (request: WriterRequest) => {
    if (typeof request === "number") {
      port.postMessage(carryOutSlot(writer, slots[request]!, request));
      return;
    }
    let reply: WriterReply;
    try {
      reply = { id: request.id, result: carryOut(writer, request) };
    } catch (error) {
      reply = { id: request.id, failure: describeFailure(error, options.file) };
    }
    port.postMessage(reply);
  });
  return { ready: { nextExpiryMs: writer.nextExpiryMs } };
}

port.postMessage(serve());
