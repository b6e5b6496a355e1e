import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { HealthReport } from "./attachment.ts";
import { Backoff, DEFAULT_RESTART, type RestartPolicy } from "./backoff.ts";
import { InstanceCare } from "./instance-care.ts";
import type { PluginEventType } from "./plugin-event.ts";
import { type InstanceEnd, type InstanceSteps, PluginInstance } from "./plugin-instance.ts";
import type { PluginProcess } from "./plugin-process.ts";
import type { PluginState, PluginStateName } from "./plugin-state.ts";
import { Replacement } from "./replacement.ts";
import { sleep } from "./sleep.ts";
import { DEFAULT_STEPS, type SupervisedPluginOptions } from "./supervised-plugin-options.ts";

/** Errors of a start that no second try can mend. */
const HOPELESS: ReadonlySet<string> = new Set([ErrorCode.InvalidArgument, ErrorCode.AlreadyExists]);

/** One stretch from a start to the stop, the failure or the end that nobody mends. */
interface Run {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/**
 * One plugin, kept alive: start, watch, restart with backoff, replace, stop. The state has one door, `#enter`. Whoever asks last
 * gets his way: a stop interrupts a start at once, a start waits for a stop that is under way.
 */
export class SupervisedPlugin {
  readonly id: string;
  readonly #options: SupervisedPluginOptions;
  readonly #steps: InstanceSteps;
  readonly #policy: RestartPolicy;
  readonly #backoff: Backoff;
  readonly #care: InstanceCare;
  #state: PluginState = { name: "registered" };
  #starts = 0;
  #process: PluginProcess | undefined;
  /** The instance that serves, while there is one. */
  #instance: PluginInstance | undefined;
  /** Resolves when another instance takes over. */
  #takenOver = Promise.withResolvers<void>();
  /** The start of a new instance beside the one that serves. */
  #replacement: Replacement | undefined;
  /** Replaced instances that are being drained. */
  readonly #leaving = new Set<Promise<void>>();
  #run: Run | undefined;
  /** What was asked for last. */
  #wanted: "running" | "stopped" = "stopped";
  /** Cuts the wait before the next try short. */
  #hurry = new AbortController();
  readonly #watchers = new Set<(state: PluginState) => void>();

  constructor(options: SupervisedPluginOptions) {
    this.id = options.id;
    this.#options = options;
    this.#steps = { ...DEFAULT_STEPS, ...options };
    this.#policy = { ...DEFAULT_RESTART, ...options.restart };
    this.#backoff = new Backoff(this.#policy);
    this.#care = new InstanceCare(options, {
      event: (type, details) => this.#event(type, details),
      idle: (reason) => void this.stop(reason),
    });
  }

  get state(): PluginState {
    return this.#state;
  }

  get health(): HealthReport {
    return this.#care.health;
  }

  /** How often a process was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Crashes that count now. */
  get crashes(): number {
    return this.#backoff.crashes(Date.now());
  }

  /** 0 while there is no process. */
  get pid(): number {
    return this.#process?.hasExited === false ? this.#process.pid : 0;
  }

  stderrTail(count?: number): string[] {
    return this.#process?.stderrTail(count) ?? [];
  }

  /** Starts the plugin and keeps it running; its crashes are forgotten. Resolves with the first state that is not `starting`. */
  async start(reason = ""): Promise<PluginState> {
    if (this.#run === undefined) this.#backoff.reset();
    return await this.#start(reason);
  }

  /** Starts the plugin because it is needed. One that has given up stays as it is; its crashes are remembered. */
  async wake(reason: string): Promise<PluginState> {
    return this.#state.name === "failed" ? this.#state : await this.#start(reason);
  }

  /** Drains and ends the plugin; resolves once its processes are gone. Repeatable. */
  async stop(reason = "stopped by the operator"): Promise<void> {
    this.#wanted = "stopped";
    await this.#halt(reason);
  }

  /** Stops and starts it, unless somebody asks for a stop meanwhile. */
  async restart(reason = "restarted by the operator"): Promise<PluginState> {
    const stopped = this.#halt(reason);
    this.#backoff.reset();
    const started = this.#start(reason);
    await stopped;
    return await started;
  }

  /** True when a new instance can take over from the one that runs, without a call lost. */
  get canReplace(): boolean {
    return this.#state.name === "ready" && this.#instance?.attachment.activate !== undefined;
  }

  /**
   * Starts a new instance beside the one that serves, checks it, lets it take over, and drains the old one. Resolves once the
   * new one serves. Asked for once more meanwhile, it happens once more afterwards.
   * @throws {HubError} why the new instance was no good; then the old one serves on. `FAILED_PRECONDITION` where none serves
   */
  async replace(reason = "upgraded by the operator"): Promise<PluginState> {
    while (this.#replacement !== undefined) await this.#replacement.settled;
    const run = this.#run;
    const old = this.#instance;
    if (!this.canReplace || run === undefined || old === undefined || run.stop.signal.aborted) {
      const what = `Plugin "${this.id}" is ${this.#state.name}, so there is nothing to take over from`;
      throw new HubError(ErrorCode.FailedPrecondition, what);
    }
    const replacement = new Replacement(this.#steps, run.stop.signal);
    this.#replacement = replacement;
    try {
      this.#starts += 1;
      const next = await replacement.start((process) => {
        this.#event("started", { pid: process.pid, reason, beside: old.process.pid });
      });
      if (run.stop.signal.aborted) {
        await next.drain("is not needed");
        throw run.stop.signal.reason;
      }
      this.#serve(next, reason);
      this.#event("upgraded", { reason, pid: next.process.pid, replaced: old.process.pid });
      this.#drainBeside(old, run.stop.signal);
      return this.#state;
    } catch (thrown) {
      const error = HubError.from(thrown, ErrorCode.StartFailed);
      this.#event("rolled_back", { reason: error.message });
      throw error;
    } finally {
      this.#replacement = undefined;
      replacement.settle();
    }
  }

  /** Forgets the crashes. One that gave up, or waits for its next try, starts at once. */
  async reset(): Promise<PluginState> {
    this.#backoff.reset();
    this.#event("reset", {});
    const waits = this.#state.name === "backoff" && this.#run?.stop.signal.aborted === false;
    if (!waits) return await this.#start("reset");
    this.#hurry.abort();
    return await this.reached("starting", "stopped").then(() => this.#settled());
  }

  /** Resolves as soon as the plugin is in one of these states. */
  async reached(...names: PluginStateName[]): Promise<PluginState> {
    if (names.includes(this.#state.name)) return this.#state;
    return await new Promise((resolve) => {
      const watcher = (state: PluginState) => {
        if (!names.includes(state.name)) return;
        this.#watchers.delete(watcher);
        resolve(state);
      };
      this.#watchers.add(watcher);
    });
  }

  #settled(): Promise<PluginState> {
    return this.reached("ready", "backoff", "failed", "stopped");
  }

  #enter(state: PluginState): void {
    const previous = this.#state;
    this.#state = state;
    this.#options.onState(state, previous);
    for (const watcher of [...this.#watchers]) watcher(state);
  }

  #event(type: PluginEventType, details: Readonly<Record<string, string | number | boolean>>): void {
    this.#options.onEvent?.({ plugin: this.id, type, details });
  }

  async #start(reason: string): Promise<PluginState> {
    this.#wanted = "running";
    // A stop that is under way is finished first; whoever asks for another one meanwhile means it.
    while (this.#run?.stop.signal.aborted) await this.#run.done;
    if (this.#wanted !== "running") return this.#state;
    if (this.#run === undefined) this.#begin(reason);
    return await this.#settled();
  }

  #begin(reason: string): void {
    const stop = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#run = { stop, done: promise };
    void this.#keepRunning(stop.signal, reason).finally(resolve);
  }

  async #halt(reason: string): Promise<void> {
    const run = this.#run;
    if (run === undefined) {
      const { name } = this.#state;
      if (name !== "stopped" || this.#state.reason !== reason) this.#stopped(reason);
      return;
    }
    // At once, so that a call that comes now waits for the next start and is not caught by the end of this one.
    if (!run.stop.signal.aborted) this.#instance?.retire();
    run.stop.abort(new HubError(ErrorCode.Cancelled, reason));
    await run.done;
  }

  #stopped(reason: string): void {
    this.#enter({ name: "stopped", reason });
    this.#event("stopped", { reason });
  }

  async #keepRunning(stop: AbortSignal, reason: string): Promise<void> {
    let why = reason;
    let last: PluginState | undefined;
    for (let attempt = 1; !stop.aborted; attempt += 1) {
      this.#enter({ name: "starting", attempt, sinceMs: Date.now(), reason: why });
      const end = await this.#liveOnce(stop, why);
      if (end === undefined || stop.aborted) break;
      last = this.#afterwards(end);
      if (last !== undefined) break;
      this.#hurry = new AbortController();
      if (this.#state.name === "backoff") await sleep(this.#state.retryAtMs - Date.now(), [stop, this.#hurry.signal]);
      why = end.error.message.split("\n", 1)[0]!;
    }
    await Promise.all(this.#leaving);
    this.#run = undefined;
    if (stop.aborted) this.#stopped((stop.reason as HubError).message);
    else if (last?.name === "stopped") this.#stopped(last.reason);
    else if (last !== undefined) this.#enter(last);
  }

  /** Counts a crash and enters `backoff`. @returns the state to end in where there is no next try */
  #afterwards({ error, clean, readyMs }: InstanceEnd & { readonly readyMs: number }): PluginState | undefined {
    const { when } = this.#policy;
    const reason = error.message;
    if (clean && when !== "always") return { name: "stopped", reason };
    const nowMs = Date.now();
    const delayMs = this.#backoff.next(nowMs, readyMs);
    this.#event("crashed", { reason, readyMs: Math.round(readyMs), crashes: this.#backoff.crashes(nowMs) });
    if (when === "never" || delayMs === undefined || HOPELESS.has(error.code)) {
      this.#event("failed", { reason, crashes: this.#backoff.crashes(nowMs) });
      return { name: "failed", error };
    }
    this.#enter({ name: "backoff", retryAtMs: nowMs + delayMs, error });
    this.#event("backoff", { reason, delayMs: Math.round(delayMs) });
    return undefined;
  }

  /** One life of the plugin. @returns why it ended by itself, or undefined when it was asked to stop */
  async #liveOnce(
    stop: AbortSignal,
    reason: string,
  ): Promise<(InstanceEnd & { readonly readyMs: number }) | undefined> {
    let instance: PluginInstance;
    try {
      this.#starts += 1;
      instance = await PluginInstance.start(this.#steps, stop, (process) => {
        this.#process = process;
        this.#event("started", { pid: process.pid, reason });
      });
    } catch (thrown) {
      if (stop.aborted) return undefined;
      return { error: HubError.from(thrown, ErrorCode.StartFailed), readyMs: 0, clean: false };
    }
    if (stop.aborted) {
      await instance.drain("was stopped");
      return undefined;
    }
    this.#serve(instance, "");
    return await this.#watch(stop);
  }

  /** Lets an instance serve, in place of the one that did. All at one moment: no call finds neither. */
  #serve(instance: PluginInstance, reason: string): void {
    this.#process = instance.process;
    this.#instance = instance;
    instance.attachment.activate?.();
    this.#care.begin(instance);
    this.#takenOver.resolve();
    this.#takenOver = Promise.withResolvers();
    const { startMs } = instance;
    this.#enter({ name: "ready", sinceMs: Date.now(), startMs, reason });
    this.#event("ready", { startMs: Math.round(startMs), pid: instance.process.pid });
  }

  async #watch(stop: AbortSignal): Promise<(InstanceEnd & { readonly readyMs: number }) | undefined> {
    const stopped = new Promise<"stop">((resolve) => {
      if (stop.aborted) resolve("stop");
      else stop.addEventListener("abort", () => resolve("stop"), { once: true });
    });
    for (;;) {
      const instance = this.#instance!;
      const end = await Promise.race([stopped, instance.ended, this.#takenOver.promise]);
      // What becomes of an instance that was replaced is the business of its drain.
      if (instance !== this.#instance) continue;
      if (end === "stop") {
        await this.#drain(instance, (stop.reason as HubError).message);
        return undefined;
      }
      if (end === undefined) continue;
      const readyMs = instance.readyMs;
      instance.retire();
      if (this.#replacement !== undefined) {
        // Its successor is on the way: there is nothing quicker than to wait for it.
        this.#enter({ name: "starting", attempt: 1, sinceMs: Date.now(), reason: end.error.message });
        await this.#replacement.settled;
        if (instance !== this.#instance) continue;
      }
      this.#care.end();
      this.#instance = undefined;
      await instance.clear(end.error);
      return stop.aborted ? undefined : { ...end, readyMs };
    }
  }

  async #drain(instance: PluginInstance, reason: string): Promise<void> {
    this.#enter({ name: "draining", deadlineMs: Date.now() + this.#steps.shutdownMs, reason });
    this.#care.end();
    this.#instance = undefined;
    await Promise.all([instance.drain(`is stopped: ${reason}`), this.#replacement?.settled]);
  }

  /** The old one finishes what it has begun, while the new one serves. */
  #drainBeside(old: PluginInstance, stop: AbortSignal): void {
    old.retire();
    const leaving = old
      .quiet(stop)
      .then(() => old.drain("was replaced by a new instance"))
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }
}
