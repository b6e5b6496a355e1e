import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { describeFailure } from "../failure.ts";

/** Copies a database, in a thread of its own: it takes as long as reading and writing all of it. */
const { file, target } = workerData as { file: string; target: string };

try {
  // A reader of its own sees one moment, whatever is written meanwhile, and holds up no writer.
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    db.prepare("VACUUM INTO ?").run(target);
  } finally {
    db.close();
  }
  parentPort!.postMessage(undefined);
} catch (error) {
  parentPort!.postMessage(describeFailure(error, file));
}
