import type { CallContext } from "@orchestrator/runtime";
import { holderOf } from "../records/locks.ts";
import { timestamp } from "../records/timestamp.ts";
import type { Services } from "../services.ts";
import { type CONFLICT, untilWritten } from "./conflicts.ts";
import { Documents } from "./documents.ts";

/** What every kind of record needs: the documents, the clock, the caller, and turns. */
export class RecordAccess {
  readonly documents: Documents;
  readonly #services: Services;
  readonly #context: CallContext;
  #holder: string | undefined;

  constructor(context: CallContext, services: Services) {
    this.#services = services;
    this.#context = context;
    this.documents = new Documents(context.hub.storage("markdown"));
  }

  /** Who is calling, as lock holder; "" where the host names no session. */
  get holder(): string {
    this.#holder ??= holderOf(this.#context.sessionId);
    return this.#holder;
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.#services.now();
  }

  /** The time as records carry it. */
  timestamp(): string {
    return timestamp(this.now());
  }

  random(limit: number): number {
    return this.#services.random(limit);
  }

  /** One at a time per key within this process. Never nest a project's turn inside that of a record. */
  inTurn<T>(key: string, task: () => Promise<T>): Promise<T> {
    return this.#services.mutex.run(key, this.#context.signal, task);
  }

  untilWritten<T>(subject: string, attempt: () => Promise<T | typeof CONFLICT>): Promise<T> {
    return untilWritten(subject, attempt, { services: this.#services, signal: this.#context.signal });
  }
}
