import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Attachment } from "./attachment.ts";
import { Backoff, DEFAULT_RESTART, type RestartPolicy } from "./backoff.ts";
import { describeExit, type ExitStatus, type PluginProcess, withStderr } from "./plugin-process.ts";
import type { PluginState, PluginStateName } from "./plugin-state.ts";

export interface SupervisedPluginOptions {
  readonly id: string;
  /** Spawns the process. */
  readonly launch: (signal: AbortSignal) => Promise<PluginProcess>;
  /** Waits for READY, connects, registers, boots, lists. A rejection undoes the start. */
  readonly attach: (process: PluginProcess, signal: AbortSignal) => Promise<Attachment>;
  readonly restart?: Partial<RestartPolicy>;
  /** From spawn to ready, in milliseconds. Default 30 000. */
  readonly startTimeoutMs?: number;
  /** How long a plugin may take to answer the shutdown request. Default 5 000. */
  readonly shutdownMs?: number;
  /** How long SIGTERM may take before SIGKILL. Default 2 000. */
  readonly termMs?: number;
  /** Every change goes through here, once, in order. */
  readonly onState: (state: PluginState, previous: PluginState) => void;
}

/** Errors of a start that no second try can mend. */
const HOPELESS: ReadonlySet<string> = new Set([ErrorCode.InvalidArgument, ErrorCode.AlreadyExists]);

/** One plugin, kept alive: start, watch, restart with backoff, stop. The state has one door, `#enter`. */
export class SupervisedPlugin {
  readonly id: string;
  readonly #options: SupervisedPluginOptions;
  readonly #backoff: Backoff;
  readonly #policy: RestartPolicy;
  #state: PluginState = { name: "registered" };
  #starts = 0;
  #stops = 0;
  #process: PluginProcess | undefined;
  /** The loop that keeps the plugin running, while there is one. */
  #run: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;
  #watchers = new Set<(state: PluginState) => void>();

  constructor(options: SupervisedPluginOptions) {
    this.id = options.id;
    this.#options = options;
    this.#policy = { ...DEFAULT_RESTART, ...options.restart };
    this.#backoff = new Backoff(this.#policy);
  }

  get state(): PluginState {
    return this.#state;
  }

  /** How often a process was started. */
  get starts(): number {
    return this.#starts;
  }

  /** 0 while there is no process. */
  get pid(): number {
    return this.#process?.hasExited === false ? this.#process.pid : 0;
  }

  stderrTail(count?: number): string[] {
    return this.#process?.stderrTail(count) ?? [];
  }

  /** Starts the plugin and keeps it running. Resolves with the first state that is not `starting`. */
  async start(): Promise<PluginState> {
    if (this.#run === undefined) {
      this.#backoff.reset();
      const stop = new AbortController();
      this.#enter({ name: "starting", attempt: 1, sinceMs: Date.now() });
      this.#run = { stop, done: this.#keepRunning(stop.signal) };
    }
    return await this.reached("ready", "backoff", "failed", "stopped");
  }

  /** Drains and ends the plugin; resolves once its process is gone. Repeatable. */
  async stop(reason = "stopped by the operator"): Promise<void> {
    this.#stops += 1;
    const run = this.#run;
    if (run === undefined) {
      if (this.#state.name !== "stopped") this.#enter({ name: "stopped", reason });
      return;
    }
    run.stop.abort(new HubError(ErrorCode.Cancelled, `Plugin "${this.id}" is ${reason}`));
    await run.done;
    if (this.#state.name !== "stopped") this.#enter({ name: "stopped", reason });
  }

  async restart(): Promise<PluginState> {
    const stops = this.#stops + 1;
    await this.stop("restarting");
    // Whoever asked for a stop meanwhile meant it.
    return stops === this.#stops ? await this.start() : this.#state;
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

  #enter(state: PluginState): void {
    const previous = this.#state;
    this.#state = state;
    this.#options.onState(state, previous);
    for (const watcher of [...this.#watchers]) watcher(state);
  }

  async #keepRunning(stop: AbortSignal): Promise<void> {
    try {
      for (let attempt = 1; !stop.aborted; attempt += 1) {
        if (attempt > 1) this.#enter({ name: "starting", attempt, sinceMs: Date.now() });
        const end = await this.#liveOnce(stop);
        if (end === undefined || stop.aborted) return;
        const { error, readyMs, clean } = end;
        if (this.#policy.when === "never" || (this.#policy.when === "on-failure" && clean)) {
          this.#enter(clean ? { name: "stopped", reason: error.message } : { name: "failed", error });
          return;
        }
        const delayMs = HOPELESS.has(error.code) ? undefined : this.#backoff.next(Date.now(), readyMs);
        if (delayMs === undefined) {
          this.#enter({ name: "failed", error });
          return;
        }
        this.#enter({ name: "backoff", retryAtMs: Date.now() + delayMs, error });
        await sleep(delayMs, stop);
      }
    } finally {
      this.#run = undefined;
    }
  }

  /** One life of the plugin. @returns why it ended by itself, or undefined when it was asked to stop */
  async #liveOnce(stop: AbortSignal): Promise<{ error: HubError; readyMs: number; clean: boolean } | undefined> {
    const startedMs = performance.now();
    let attachment: Attachment;
    let plugin: PluginProcess | undefined;
    const timeoutMs = this.#options.startTimeoutMs ?? 30_000;
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort(new HubError(ErrorCode.StartFailed, `Plugin "${this.id}" was not ready within ${timeoutMs} ms`));
    }, timeoutMs);
    try {
      this.#starts += 1;
      const signal = AbortSignal.any([stop, late.signal]);
      plugin = await this.#options.launch(signal);
      this.#process = plugin;
      attachment = await untilAborted(this.#options.attach(plugin, signal), signal);
    } catch (reason) {
      const error = HubError.from(reason, ErrorCode.StartFailed);
      await plugin?.end(stop.aborted ? (this.#options.termMs ?? 2_000) : 500);
      if (stop.aborted) return undefined;
      const told = plugin === undefined || error.message.includes("\n  | ");
      return { error: told ? error : withStderr(error, plugin!.stderrTail(20)), readyMs: 0, clean: false };
    } finally {
      clearTimeout(timer);
    }
    const readyAt = performance.now();
    this.#enter({ name: "ready", sinceMs: Date.now(), startMs: readyAt - startedMs });
    return await this.#watch(plugin, attachment, stop, readyAt);
  }

  async #watch(plugin: PluginProcess, attachment: Attachment, stop: AbortSignal, readyAt: number) {
    type End = { kind: "stop" } | { kind: "exit"; status: ExitStatus } | { kind: "lost"; error: HubError };
    const { promise: stopped, resolve: onStop } = Promise.withResolvers<End>();
    const abort = () => onStop({ kind: "stop" });
    if (stop.aborted) abort();
    else stop.addEventListener("abort", abort, { once: true });
    const end = await Promise.race<End>([
      stopped,
      plugin.exited.then((status) => ({ kind: "exit", status })),
      attachment.lost.then((error) => ({ kind: "lost", error })),
    ]);
    stop.removeEventListener("abort", abort);
    if (end.kind === "stop") {
      await this.#drain(plugin, attachment);
      return undefined;
    }
    const status = end.kind === "exit" ? end.status : undefined;
    const what = end.kind === "exit" ? describeExit(end.status) : `lost its connection: ${end.error.message}`;
    const error = withStderr(new HubError(ErrorCode.Unavailable, `Plugin "${this.id}" ${what}`), plugin.stderrTail(5));
    attachment.detach(error);
    await plugin.end(this.#options.termMs ?? 2_000);
    return { error, readyMs: performance.now() - readyAt, clean: status?.code === 0 };
  }

  async #drain(plugin: PluginProcess, attachment: Attachment): Promise<void> {
    const graceMs = this.#options.shutdownMs ?? 5_000;
    this.#enter({ name: "draining", deadlineMs: Date.now() + graceMs });
    // Whichever comes first: the answer, the exit, the end of patience. A plugin that answers may go on running (plugins of
    // the older kind do), so SIGTERM follows in any case.
    const asked = attachment.requestShutdown(graceMs).catch(() => {});
    await Promise.race([asked, plugin.exitedWithin(graceMs)]);
    await plugin.end(this.#options.termMs ?? 2_000);
    attachment.detach(new HubError(ErrorCode.Unavailable, `Plugin "${this.id}" was stopped`));
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** A step that ignores its signal must not hold up a stop: what it yields later is let go. */
async function untilAborted(step: Promise<Attachment>, signal: AbortSignal): Promise<Attachment> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([aborted, step]);
  } catch (reason) {
    step.then(
      (attachment) => attachment.detach(HubError.from(reason)),
      () => {},
    );
    throw reason;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
