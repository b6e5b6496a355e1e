import type { HubError } from "@orchestrator/protocol";

/** What a plugin says of itself. `unknown` is the answer of one that has no opinion; it lives all the same. */
export interface HealthReport {
  readonly status: "healthy" | "degraded" | "unhealthy" | "unknown";
  /** For people; "" where there is nothing to say. */
  readonly message: string;
}

/**
 * The connection to one started process, as its dialect hands it back. What is optional is what a dialect need not be able to
 * do: without `activate` no second instance can run beside the first, without `ping` only the process is watched.
 */
export interface Attachment {
  /** Resolves when the connection to the plugin is lost while the process may still run. */
  readonly lost: Promise<HubError>;
  /**
   * Grows with everything that comes from the plugin, answers and requests alike. Checks compare two readings, so that nobody
   * has to look at the clock per message; a plugin that was heard is not asked whether it lives.
   */
  readonly heard?: number;
  /** What is under way on this connection now, in both directions: calls, streams, events; without our own questions. */
  readonly inFlight?: number;
  /**
   * Calls go to this instance from now on, and no longer to an older one of the same plugin. Called once, synchronously, when
   * the instance is ready. A dialect that has it must not put the instance to work before.
   */
  activate?(): void;
  /** No new calls come to this instance; those under way go on. Called before a drain; an `activate` of a newer one may come first. */
  retire?(): void;
  /**
   * Asks the plugin how it does. Resolves with its answer however late that is, since a slow plugin lives; the monitor counts
   * the time. Rejects when there will be no answer any more, which alone means nothing: the connection tells by `lost`.
   */
  ping?(signal: AbortSignal): Promise<HealthReport>;
  /** Asks the plugin to finish and waits for its answer. May reject or hang; the supervisor has its own clock. */
  requestShutdown(graceMs: number): Promise<void>;
  /** Drops the connection and withdraws everything that attach set up. Called once, whatever happened before. */
  detach(reason: HubError): void;
}
