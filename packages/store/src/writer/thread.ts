import { Worker } from "node:worker_threads";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Failure } from "../failure.ts";
import type { PackedKv } from "./kv-batch.ts";
import { makeLane } from "./lane.ts";
import { type BatchSettled, LaneClient } from "./lane-client.ts";
import type { WriterHello, WriterOptions, WriterReply, WriterResults, WriterStart, WriterWork } from "./messages.ts";

type Kind = keyof WriterResults;

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: HubError) => void;
}

/** The writer's thread, seen from the hub's. Work is carried out in the order in which it is asked for. */
export class WriterThread {
  readonly nextExpiryMs: number;
  readonly #worker: Worker;
  readonly #file: string;
  readonly #lane: LaneClient;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #ended: HubError | undefined;

  private constructor(worker: Worker, { file, lane }: WriterStart, ready: { nextExpiryMs: number }) {
    this.#worker = worker;
    this.#file = file;
    this.#lane = new LaneClient(lane, (slot) => worker.postMessage(slot));
    this.nextExpiryMs = ready.nextExpiryMs;
    worker.on("message", (reply: WriterReply) => this.#settle(reply));
    worker.on("error", (error) => this.#end(`failed: ${error instanceof Error ? error.message : String(error)}`));
    worker.on("exit", () => this.#end("has ended"));
  }

  /** @throws {HubError} where the database cannot be opened */
  static async start(options: WriterOptions): Promise<WriterThread> {
    const start: WriterStart = { ...options, lane: makeLane() };
    const worker = new Worker(siblingModule("worker"), { workerData: start, name: "store-writer" });
    const hello = await new Promise<WriterHello>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    if ("failure" in hello) {
      await worker.terminate();
      throw toHubError(hello.failure);
    }
    return new WriterThread(worker, start, hello.ready);
  }

  /** @throws {HubError} what went wrong with the work as a whole */
  run<K extends Kind>(work: Extract<WriterWork, { kind: K }>, transfer: ArrayBuffer[] = []): Promise<WriterResults[K]> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...work, id }, transfer);
    });
  }

  /**
   * Carries out operations without a copy of them in a message, where that is possible.
   * @returns false where it has to be asked for with `run`; otherwise `kv` may be used again at once
   */
  runInLane(kv: PackedKv, settled: BatchSettled): boolean {
    return this.#ended === undefined && this.#lane.send(kv, settled);
  }

  /** After everything that was asked for before. Resolves when the file is closed and the thread is gone. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    await this.run({ kind: "close" });
    await this.#worker.terminate();
  }

  #settle(reply: WriterReply): void {
    if (typeof reply === "number") {
      this.#lane.settle(reply);
      return;
    }
    if ("slot" in reply) {
      this.#lane.settle(reply.slot, reply.result);
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ("failure" in reply) waiting?.reject(toHubError(reply.failure));
    else waiting?.resolve(reply.result as never);
  }

  #end(how: string): void {
    this.#ended ??= new HubError(ErrorCode.Unavailable, `The writer of database "${this.#file}" ${how}`);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
    this.#lane.abandon(this.#ended);
  }
}

export function toHubError({ code, message }: Failure): HubError {
  return new HubError(code, message);
}

/** A module of this directory that runs in a thread of its own: the source in a checkout, the compiled file elsewhere. */
function siblingModule(name: string): URL {
  return new URL(`./${name}.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
}
