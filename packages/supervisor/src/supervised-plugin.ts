import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { HealthReport } from "./attachment.ts";
import { Backoff, DEFAULT_RESTART } from "./backoff.ts";
import type { PluginEventType } from "./plugin-event.ts";
import type { LifeEnd } from "./plugin-instance.ts";
import { PluginLife } from "./plugin-life.ts";
import { type PluginState, type PluginStateName, reasonAndWords } from "./plugin-state.ts";
import { isShortage } from "./start-problem.ts";
import { StateDoor } from "./state-door.ts";
import type { SupervisedPluginOptions } from "./supervised-plugin-options.ts";

/** Errors of a start that no second try can mend. */
const HOPELESS: ReadonlySet<string> = new Set([ErrorCode.InvalidArgument, ErrorCode.AlreadyExists]);

/** One stretch from a start to the stop, the failure or the end that nobody mends. */
interface Run {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/**
 * One plugin, kept alive: start, watch, restart with backoff, replace, stop. Whoever asks last gets his way: a stop interrupts a
 * start at once, a start waits for a stop that is under way.
 */
export class SupervisedPlugin {
  readonly id: string;
  readonly #options: SupervisedPluginOptions;
  readonly #door: StateDoor;
  readonly #life: PluginLife;
  readonly #backoff: Backoff;
  #run: Run | undefined;
  /** What was asked for last. */
  #wanted: "running" | "stopped" = "stopped";
  /** Cuts the wait before the next try short. */
  #hurry = new AbortController();

  constructor(options: SupervisedPluginOptions) {
    this.id = options.id;
    this.#options = options;
    this.#door = new StateDoor(options.onState);
    this.#backoff = new Backoff({ ...DEFAULT_RESTART, ...options.restart });
    this.#life = new PluginLife(options, this.#door, {
      event: (type, details) => this.#event(type, details),
      crashed: (end) => {
        this.#backoff.after(end, false, performance.now());
        if (!end.clean) this.#crashed(end);
      },
      idle: (reason) => void this.stop(reason),
    });
  }

  get state(): PluginState {
    return this.#door.state;
  }

  get health(): HealthReport {
    return this.#life.health;
  }

  /** How often a process was started. */
  get starts(): number {
    return this.#life.starts;
  }

  /** Crashes that count now. */
  get crashes(): number {
    return this.#backoff.crashes(performance.now());
  }

  /** 0 while there is no process. */
  get pid(): number {
    const { process } = this.#life;
    return process?.hasExited === false ? process.pid : 0;
  }

  stderrTail(count?: number): string[] {
    return this.#life.process?.stderrTail(count) ?? [];
  }

  /** Starts the plugin and keeps it running; its crashes are forgotten. Resolves with the first state that is not `starting`. */
  async start(reason = ""): Promise<PluginState> {
    if (this.#run === undefined) this.#backoff.reset();
    return await this.#start(reason);
  }

  /** Starts the plugin because it is needed. One that has given up stays as it is; its crashes are remembered. */
  async wake(reason: string): Promise<PluginState> {
    return this.state.name === "failed" ? this.state : await this.#start(reason);
  }

  /** Drains and ends the plugin; resolves once its processes are gone. Repeatable. */
  async stop(reason = "stopped by the operator"): Promise<void> {
    this.#wanted = "stopped";
    await this.#halt(reason);
  }

  /** Stops and starts it, unless somebody asks for a stop meanwhile. Calls that are under way may finish first. */
  async restart(reason = "restarted by the operator"): Promise<PluginState> {
    const stopped = this.#halt(reason, true);
    this.#backoff.reset();
    const started = this.#start(reason);
    await stopped;
    return await started;
  }

  /** True when a new instance can take over from the one that runs, without a call lost. */
  get canReplace(): boolean {
    return this.#life.canReplace;
  }

  /**
   * Starts a new instance beside the one that serves, checks it, lets it take over, and drains the old one. Resolves once the
   * new one serves. Asked for once more meanwhile, it happens once more afterwards.
   * @throws {HubError} why the new instance was no good; then the old one serves on. `FAILED_PRECONDITION` where none serves
   */
  async replace(reason = "upgraded by the operator"): Promise<PluginState> {
    await this.#life.replace(() => this.#run?.stop.signal, reason);
    return this.state;
  }

  /** Forgets the crashes. One that gave up, or waits for its next try, starts at once. */
  async reset(): Promise<PluginState> {
    this.#backoff.reset();
    this.#event("reset", {});
    const waits = this.state.name === "backoff" && this.#run?.stop.signal.aborted === false;
    if (!waits) return await this.#start("reset");
    this.#hurry.abort();
    return await this.reached("starting", "stopped").then(() => this.#door.settled());
  }

  /** Resolves as soon as the plugin is in one of these states. */
  async reached(...names: PluginStateName[]): Promise<PluginState> {
    return await this.#door.reached(...names);
  }

  #event(type: PluginEventType, details: Readonly<Record<string, string | number | boolean>>): void {
    this.#options.onEvent?.({ plugin: this.id, type, details });
  }

  async #start(reason: string): Promise<PluginState> {
    this.#wanted = "running";
    // A stop that is under way is finished first; whoever asks for another one meanwhile means it.
    while (this.#run?.stop.signal.aborted) await this.#run.done;
    if (this.#wanted !== "running") return this.state;
    if (this.#run === undefined) this.#begin(reason);
    return await this.#door.settled();
  }

  #begin(reason: string): void {
    const stop = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#run = { stop, done: promise };
    void this.#keepRunning(stop.signal, reason).finally(resolve);
  }

  async #halt(reason: string, patiently = false): Promise<void> {
    const run = this.#run;
    if (!patiently) this.#life.hurry();
    if (run === undefined) {
      if (this.state.name !== "stopped" || this.state.reason !== reason) this.#stopped(reason);
      await this.#life.endRetired();
      return;
    }
    // At once, so that a call that comes now waits for the next start and is not caught by the end of this one.
    if (!run.stop.signal.aborted) this.#life.retire(patiently);
    run.stop.abort(new HubError(ErrorCode.Cancelled, reason));
    await run.done;
  }

  #stopped(reason: string): void {
    this.#door.enter({ name: "stopped", reason });
    this.#event("stopped", { reason });
  }

  async #keepRunning(stop: AbortSignal, reason: string): Promise<void> {
    let why = reason;
    let last: PluginState | undefined;
    for (let attempt = 1; !stop.aborted; attempt += 1) {
      if (attempt > 1) await this.#turn(stop);
      if (stop.aborted) break;
      this.#door.enter({ name: "starting", attempt, sinceMs: Date.now(), reason: why });
      const end = await this.#life.live(stop, why);
      if (end === undefined || stop.aborted) break;
      const next = this.#afterwards(end);
      if (typeof next !== "number") {
        last = next;
        break;
      }
      this.#hurry = new AbortController();
      await sleep(next, undefined, { signal: AbortSignal.any([stop, this.#hurry.signal]) }).catch(() => {});
      why = toldOf(end.error).reason;
    }
    if (stop.aborted) await this.#life.endRetired();
    this.#run = undefined;
    if (stop.aborted) this.#stopped((stop.reason as HubError).message);
    else if (last?.name === "stopped") this.#stopped(last.reason);
    else if (last !== undefined) this.#door.enter(last);
  }

  /** Resolves when a restart may begin, or need not. The turn lasts until the start is over. */
  async #turn(stop: AbortSignal): Promise<void> {
    const { restartInTurn } = this.#options;
    if (restartInTurn === undefined) return;
    const turn = Promise.withResolvers<void>();
    const onAbort = () => turn.resolve();
    stop.addEventListener("abort", onAbort, { once: true });
    restartInTurn(async () => {
      if (stop.aborted) return;
      turn.resolve();
      await this.reached("starting", "stopped");
      await this.#door.settled();
    });
    await turn.promise;
    stop.removeEventListener("abort", onAbort);
  }

  #crashed({ error, readyMs }: LifeEnd): void {
    this.#event("crashed", { ...toldOf(error), readyMs: Math.round(readyMs), crashes: this.crashes });
  }

  /** @returns the state to end in, or after how many milliseconds the next try is due: it is `backoff` then */
  #afterwards(end: LifeEnd): PluginState | number {
    const { error } = end;
    const told = toldOf(error);
    // Not the time of day, which may jump.
    const isShort = isShortage(error);
    const after = isShort
      ? this.#backoff.shortage()
      : this.#backoff.after(end, HOPELESS.has(error.code), performance.now());
    if (after === "stay") return { name: "stopped", reason: told.reason };
    if (!isShort) this.#crashed(end);
    if (after === "give-up") {
      this.#event("failed", { ...told, crashes: this.crashes });
      return { name: "failed", error };
    }
    this.#door.enter({ name: "backoff", retryAtMs: Date.now() + after, error });
    this.#event("backoff", { reason: told.reason, delayMs: Math.round(after) });
    return after;
  }
}

/** What happened in one line, and apart from it the plugin's last words, if it had any. */
function toldOf(error: HubError): { readonly reason: string; readonly lastWords?: string } {
  const [reason, ...words] = reasonAndWords(error);
  return words.length === 0
    ? { reason }
    : { reason, lastWords: words.map((line) => line.replace(/^ {2}\| /, "")).join("\n") };
}
