import { type CallContext, ToolError } from "@orchestrator/runtime";
import { holderOf } from "../records/locks.ts";
import { timestamp } from "../records/timestamp.ts";
import type { Services } from "../services.ts";
import { type CONFLICT, untilWritten } from "./conflicts.ts";
import { Documents, UnreadableRecord } from "./documents.ts";
import { FeatureStore } from "./features.ts";
import { LockStore } from "./locks.ts";
import { ProjectStore } from "./projects.ts";
import { WipLimitStore } from "./wip-limits.ts";

/**
 * The records as one call sees them. Nothing is kept from call to call: other programs write the same files, and there
 * is no word from them.
 */
export class Workspace {
  readonly documents: Documents;
  readonly projects: ProjectStore;
  readonly features: FeatureStore;
  readonly locks: LockStore;
  readonly wipLimits: WipLimitStore;
  /** Who is calling, as lock holder; "" where the host names no session. */
  readonly holder: string;
  readonly #services: Services;
  readonly #signal: AbortSignal;

  constructor(context: CallContext, services: Services) {
    this.#services = services;
    this.#signal = context.signal;
    this.holder = holderOf(context.sessionId);
    this.documents = new Documents(context.hub.storage("markdown"));
    this.projects = new ProjectStore(this);
    this.features = new FeatureStore(this);
    this.locks = new LockStore(this);
    this.wipLimits = new WipLimitStore(this);
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
    return this.#services.mutex.run(key, this.#signal, task);
  }

  untilWritten<T>(subject: string, attempt: () => Promise<T | typeof CONFLICT>): Promise<T> {
    return untilWritten(subject, attempt, { services: this.#services, signal: this.#signal });
  }
}

/** For a record that was asked for by name, unreadable is a failure, not a remark. */
export async function orStorageError<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof UnreadableRecord) throw new ToolError("storage_error", error.message, { cause: error });
    throw error;
  }
}
