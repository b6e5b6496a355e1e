import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Attachment, HealthReport } from "./attachment.ts";
import type { Round } from "./rounds.ts";

/** How a plugin that runs is watched. */
export interface HealthPolicy {
  /** From one check to the next; 0 turns the checks off. */
  readonly intervalMs: number;
  /** An answer that takes longer than this is a miss. It still counts when it comes. */
  readonly timeoutMs: number;
  /** So many misses in a row make a plugin unhealthy. */
  readonly failures: number;
  /** Whether a plugin that is unhealthy by silence is ended and started again. */
  readonly restart: boolean;
  /** With calls in flight a plugin may be at work and unable to answer: it may be silent for so long before it is ended. */
  readonly busyMs: number;
}

export const DEFAULT_HEALTH: HealthPolicy = {
  intervalMs: 5_000,
  timeoutMs: 5_000,
  failures: 3,
  restart: true,
  busyMs: 30_000,
};

/** A plugin that is heard all the time is not asked whether it lives, but at least every so many rounds how it does. */
const OPINION_ROUNDS = 6;

export interface HealthHooks {
  /** The status changed. */
  changed(health: HealthReport, previous: HealthReport): void;
  /** The plugin has been silent for too long to be waited for. */
  silent(error: HubError): void;
}

/**
 * Watches one connection: whether it answers, and what the plugin says of itself. One miss means nothing; several in a row
 * make it unhealthy; whatever is heard from it, late or not, makes good for all of them.
 */
export class HealthCheck implements Round {
  readonly intervalMs: number;
  readonly #attachment: Attachment;
  readonly #policy: HealthPolicy;
  readonly #hooks: HealthHooks;
  readonly #over = new AbortController();
  #health: HealthReport = { status: "unknown", message: "" };
  #askedAt: number | undefined;
  #heard: number | undefined;
  #heardAt: number;
  #ranAt: number;
  #misses = 0;
  #unasked = 0;

  constructor(attachment: Attachment, policy: HealthPolicy, hooks: HealthHooks) {
    this.#attachment = attachment;
    this.#policy = policy;
    this.#hooks = hooks;
    this.intervalMs = policy.intervalMs;
    this.#heard = attachment.heard;
    this.#heardAt = performance.now();
    this.#ranAt = this.#heardAt;
  }

  get health(): HealthReport {
    return this.#health;
  }

  /** Nothing more is asked or told. */
  end(): void {
    this.#over.abort();
  }

  run(nowMs: number): void {
    if (this.#over.signal.aborted) return;
    // A hub that was held up itself has answers waiting that it has not read.
    const wasHeldUp = nowMs - this.#ranAt > 2 * this.intervalMs;
    this.#ranAt = nowMs;
    const { heard } = this.#attachment;
    if (heard !== this.#heard) {
      this.#alive(nowMs);
      this.#unasked += 1;
      if (this.#unasked < OPINION_ROUNDS) return;
    }
    if (this.#askedAt === undefined) void this.#ask(nowMs);
    // Timers are a little early or late; an answer that is due at this very round must not be waited for until the next one.
    else if (nowMs - this.#askedAt + this.intervalMs / 10 >= this.#policy.timeoutMs && !wasHeldUp) this.#missed(nowMs);
  }

  async #ask(nowMs: number): Promise<void> {
    const { signal } = this.#over;
    this.#unasked = 0;
    this.#askedAt = nowMs;
    let report: HealthReport | undefined;
    try {
      report = await this.#attachment.ping?.(signal);
    } catch {
      // What became of the connection is told elsewhere; that there is no answer counts here.
    }
    if (signal.aborted) return;
    this.#askedAt = undefined;
    if (report === undefined) this.#missed(performance.now());
    else {
      this.#alive(performance.now());
      this.#set(report);
    }
  }

  /** The answer to our own question is no reason not to ask the next one. */
  #alive(nowMs: number): void {
    this.#heard = this.#attachment.heard;
    this.#heardAt = nowMs;
    const wasSilent = this.#misses >= this.#policy.failures;
    this.#misses = 0;
    if (wasSilent) this.#set({ status: "unknown", message: "it answers again" });
  }

  #missed(nowMs: number): void {
    const { failures, restart, busyMs } = this.#policy;
    this.#misses += 1;
    if (this.#misses < failures) return;
    const silentMs = nowMs - this.#heardAt;
    const what = `${this.#misses} checks in a row were not answered; nothing was heard for ${Math.round(silentMs)} ms`;
    this.#set({ status: "unhealthy", message: what });
    const isBusy = (this.#attachment.inFlight ?? 0) > 0;
    if (!restart || (isBusy && silentMs < busyMs)) return;
    this.end();
    this.#hooks.silent(new HubError(ErrorCode.Unavailable, what));
  }

  #set(health: HealthReport): void {
    const previous = this.#health;
    this.#health = health;
    if (previous.status !== health.status) this.#hooks.changed(health, previous);
  }
}
