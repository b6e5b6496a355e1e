import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { HealthReport } from "./attachment.ts";
import { InstanceCare } from "./instance-care.ts";
import type { PluginEventType } from "./plugin-event.ts";
import { type InstanceSteps, type LifeEnd, PluginInstance } from "./plugin-instance.ts";
import type { PluginProcess } from "./plugin-process.ts";
import { reasonAndWords } from "./plugin-state.ts";
import { Replacement } from "./replacement.ts";
import { RetiredInstances } from "./retired-instances.ts";
import type { StateDoor } from "./state-door.ts";
import { DEFAULT_STEPS, type SupervisedPluginOptions } from "./supervised-plugin-options.ts";

/** Calls that are under way when it is restarted in place may go on so long: new ones wait meanwhile. */
const FINISH_MS = 5_000;

export interface PluginLifeHooks {
  event(type: PluginEventType, details: Readonly<Record<string, string | number | boolean>>): void;
  /** The instance that served ended by itself, and another one is about to take over. */
  crashed(end: LifeEnd): void;
  /** It has had nothing to do for long. */
  idle(reason: string): void;
}

/** From the start of a process to its end, with all the instances that take over from one another in between. */
export class PluginLife {
  /** How often a process was started. */
  starts = 0;
  readonly #id: string;
  readonly #steps: InstanceSteps;
  readonly #door: StateDoor;
  readonly #hooks: PluginLifeHooks;
  readonly #care: InstanceCare;
  readonly #retired = new RetiredInstances();
  #process: PluginProcess | undefined;
  /** The instance that serves, while there is one. */
  #instance: PluginInstance | undefined;
  /** Resolves when another instance takes over. */
  #takenOver = Promise.withResolvers<void>();
  /** The start of a new instance beside the one that serves. */
  #replacement: Replacement | undefined;
  /** How the instance ended whose successor is still on the way. */
  #lost: LifeEnd | undefined;
  /** Calls that are under way may finish before it is ended, until this is aborted. */
  #patience: AbortController | undefined;

  constructor(options: SupervisedPluginOptions, door: StateDoor, hooks: PluginLifeHooks) {
    this.#id = options.id;
    this.#steps = { ...DEFAULT_STEPS, ...options };
    this.#door = door;
    this.#hooks = hooks;
    this.#care = new InstanceCare(options, {
      ...hooks,
      // Whoever starts a new instance beside one that has nothing to do means it.
      idle: (reason) => {
        if (this.#replacement === undefined) hooks.idle(reason);
      },
    });
  }

  /** The latest one, also when it is gone. */
  get process(): PluginProcess | undefined {
    return this.#process;
  }

  get health(): HealthReport {
    return this.#care.health;
  }

  /** True when a new instance can take over from the one that runs, without a call lost. */
  get canReplace(): boolean {
    return this.#door.state.name === "ready" && this.#instance?.attachment.activate !== undefined;
  }

  /** No new calls from now on. @param patiently what is under way may finish, before it is ended */
  retire(patiently: boolean): void {
    this.#instance?.retire();
    if (patiently) this.#patience = new AbortController();
  }

  /** Nothing is waited for any more. */
  hurry(): void {
    this.#patience?.abort();
  }

  /** Ends the instances that were replaced, too; resolves when they have gone. */
  async endRetired(): Promise<void> {
    await this.#retired.end();
  }

  /** One life of the plugin. @returns why it ended by itself, or undefined when it was asked to stop */
  async live(stop: AbortSignal, reason: string): Promise<LifeEnd | undefined> {
    let instance: PluginInstance;
    try {
      this.starts += 1;
      instance = await PluginInstance.start(this.#steps, stop, (process) => {
        this.#process = process;
        this.#hooks.event("started", { pid: process.pid, reason });
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

  /**
   * Starts a new instance beside the one that serves and lets it take over. One after the other.
   * @param current the signal that ends the present run, if there is one
   * @throws {HubError} why it is no good
   */
  async replace(current: () => AbortSignal | undefined, reason: string): Promise<void> {
    while (this.#replacement !== undefined) await this.#replacement.settled;
    const stop = current() ?? AbortSignal.abort();
    const old = this.#instance;
    if (!this.canReplace || old === undefined || stop.aborted) {
      const what = `Plugin "${this.#id}" is ${this.#door.state.name}, so there is nothing to take over from`;
      throw new HubError(ErrorCode.FailedPrecondition, what);
    }
    const replacement = new Replacement(this.#steps, stop);
    this.#replacement = replacement;
    try {
      this.starts += 1;
      const next = await replacement.start(({ pid }) => {
        this.#hooks.event("started", { pid, reason, beside: old.process.pid });
      });
      if (stop.aborted) {
        await next.drain("is not needed");
        throw stop.reason;
      }
      if (this.#lost !== undefined) this.#hooks.crashed(this.#lost);
      this.#serve(next, reason);
      this.#hooks.event("upgraded", { reason, pid: next.process.pid, replaced: old.process.pid });
      this.#retired.add(old);
    } catch (thrown) {
      const error = HubError.from(thrown, ErrorCode.StartFailed);
      this.#hooks.event("rolled_back", { reason: error.message });
      throw error;
    } finally {
      this.#replacement = undefined;
      replacement.settle();
    }
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
    this.#door.enter({ name: "ready", sinceMs: Date.now(), startMs, reason });
    this.#hooks.event("ready", { startMs: Math.round(startMs), pid: instance.process.pid });
  }

  async #watch(stop: AbortSignal): Promise<LifeEnd | undefined> {
    const stopped = Promise.withResolvers<"stop">();
    const onStop = () => stopped.resolve("stop");
    if (stop.aborted) onStop();
    else stop.addEventListener("abort", onStop);
    try {
      return await this.#outlive(stop, stopped.promise);
    } finally {
      // The signal is that of many lives.
      stop.removeEventListener("abort", onStop);
    }
  }

  /** Serves with one instance after the other, until the last of them ends. */
  async #outlive(stop: AbortSignal, stopped: Promise<"stop">): Promise<LifeEnd | undefined> {
    for (;;) {
      const instance = this.#instance!;
      const end = await Promise.race([stopped, instance.ended, this.#takenOver.promise]);
      // What becomes of an instance that was replaced is the business of its drain.
      if (instance !== this.#instance || end === undefined) continue;
      if (end === "stop") {
        await this.#drain(instance, (stop.reason as HubError).message);
        return undefined;
      }
      const { readyMs } = instance;
      const [reason] = reasonAndWords(end.error);
      instance.retire();
      if (this.#replacement !== undefined) {
        // Its successor is on the way: there is nothing quicker than to wait for it.
        this.#lost = { ...end, readyMs };
        this.#door.enter({ name: "starting", attempt: 1, sinceMs: Date.now(), reason });
        await this.#replacement.settled;
        this.#lost = undefined;
        if (instance !== this.#instance) continue;
      }
      this.#care.end();
      this.#instance = undefined;
      if (!instance.process.hasExited) {
        this.#door.enter({ name: "draining", deadlineMs: Date.now() + this.#steps.termMs, reason });
      }
      await instance.clear(end.error);
      return stop.aborted ? undefined : { ...end, readyMs };
    }
  }

  async #drain(instance: PluginInstance, reason: string): Promise<void> {
    const patience = this.#patience;
    const { shutdownMs, drainMs } = this.#steps;
    const finishMs = patience === undefined ? 0 : Math.min(FINISH_MS, drainMs);
    this.#door.enter({ name: "draining", deadlineMs: Date.now() + finishMs + shutdownMs, reason });
    this.#care.end();
    this.#instance = undefined;
    if (patience !== undefined) await instance.quiet(patience.signal, finishMs);
    this.#patience = undefined;
    await Promise.all([instance.drain(`is stopped: ${reason}`), this.#replacement?.settled]);
  }
}
