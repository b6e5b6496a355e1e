import { parentPort, workerData } from "node:worker_threads";
import { describeFailure } from "../failure.ts";
import { LaneServer } from "./lane-server.ts";
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

function serve(): WriterHello {
  let writer: Writer;
  try {
    writer = new Writer(options);
  } catch (error) {
    return { failure: describeFailure(error, options.file) };
  }
  const lane = new LaneServer(options.lane, writer, (word) => port.postMessage(word));
  port.on("message", (request: WriterRequest) => {
    if (request.kind === "lane") {
      lane.serve();
      return;
    }
    lane.countMessage();
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
