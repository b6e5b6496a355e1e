import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Attachment } from "./attachment.ts";
import { describeExit, type PluginProcess, withStderr } from "./plugin-process.ts";

/** How a process is started, spoken to and ended. */
export interface InstanceSteps {
  readonly id: string;
  /** Spawns the process. */
  readonly launch: (signal: AbortSignal) => Promise<PluginProcess>;
  /** Waits for READY, connects, registers, boots, lists. A rejection undoes the start. */
  readonly attach: (process: PluginProcess, signal: AbortSignal) => Promise<Attachment>;
  /** From spawn to ready, in milliseconds. */
  readonly startTimeoutMs: number;
  /** How long a plugin may take to answer the shutdown request. */
  readonly shutdownMs: number;
  /** How long SIGTERM may take before SIGKILL. */
  readonly termMs: number;
  /** How long calls in flight of a replaced instance may go on. */
  readonly drainMs: number;
}

/** Why an instance ended by itself. */
export interface InstanceEnd {
  readonly error: HubError;
  /** The process exited with code 0. */
  readonly clean: boolean;
}

/** How a life ended by itself, and how long the plugin had been ready; 0 if it never was. */
export interface LifeEnd extends InstanceEnd {
  readonly readyMs: number;
}

/** A process that lost its connection mostly is about to exit, and how it exits says more. */
const EXIT_AFTER_LOSS_MS = 500;
/** How often calls in flight are counted while an old instance drains. */
const DRAIN_LOOK_MS = 20;

/** One process of a plugin with the connection to it, from spawn to exit. Two of them are alive during an upgrade. */
export class PluginInstance {
  readonly process: PluginProcess;
  readonly attachment: Attachment;
  /** From spawn to ready, in milliseconds. */
  readonly startMs: number;
  /** Resolves when it ended by itself; stays open for one that is drained. Never rejects. */
  readonly ended: Promise<InstanceEnd>;
  readonly #steps: InstanceSteps;
  readonly #readyAt = performance.now();
  readonly #givenUp = Promise.withResolvers<HubError>();
  #isRetired = false;

  private constructor(steps: InstanceSteps, process: PluginProcess, attachment: Attachment, startMs: number) {
    this.#steps = steps;
    this.process = process;
    this.attachment = attachment;
    this.startMs = startMs;
    this.ended = Promise.race([
      process.exited.then(() => ""),
      attachment.lost.then(async (error) => {
        this.retire();
        return (await process.exitedWithin(EXIT_AFTER_LOSS_MS)) ? "" : `lost its connection: ${error.message}`;
      }),
      this.#givenUp.promise.then((error) => {
        this.retire();
        return `was given up: ${error.message}`;
      }),
    ]).then((what) => this.#end(what));
  }

  /**
   * One start as a transaction: a step that fails ends the process.
   * @param spawned called as soon as there is a process
   * @throws {HubError} with the last lines of stderr; the reason of `stop` where that was aborted
   */
  static async start(
    steps: InstanceSteps,
    stop: AbortSignal,
    spawned: (process: PluginProcess) => void,
  ): Promise<PluginInstance> {
    const begunAt = performance.now();
    const { id, startTimeoutMs } = steps;
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort(new HubError(ErrorCode.StartFailed, `Plugin "${id}" was not ready within ${startTimeoutMs} ms`));
    }, startTimeoutMs);
    let process: PluginProcess | undefined;
    try {
      const signal = AbortSignal.any([stop, late.signal]);
      signal.throwIfAborted();
      process = await steps.launch(signal);
      spawned(process);
      const attachment = await untilAborted(steps.attach(process, signal), signal);
      return new PluginInstance(steps, process, attachment, performance.now() - begunAt);
    } catch (reason) {
      const error = HubError.from(reason, ErrorCode.StartFailed);
      await process?.end(stop.aborted ? steps.termMs : Math.min(500, steps.termMs));
      throw process === undefined || stop.aborted ? error : withStderr(error, process.stderrTail(20));
    } finally {
      clearTimeout(timer);
    }
  }

  /** How long it has been ready, in milliseconds. */
  get readyMs(): number {
    return performance.now() - this.#readyAt;
  }

  /** Takes it out of service; what is under way goes on. Repeatable. */
  retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.attachment.retire?.();
  }

  /** It lives and is of no use: it ends as if it had crashed. */
  giveUp(reason: HubError): void {
    this.#givenUp.resolve(reason);
  }

  /**
   * Resolves when nothing is under way on it, when the patience with an old instance ends, or with `hurry`.
   * @param mostMs the patience, where it is another than usual
   */
  async quiet(hurry: AbortSignal, mostMs = this.#steps.drainMs): Promise<void> {
    const until = performance.now() + mostMs;
    while ((this.attachment.inFlight ?? 0) > 0 && performance.now() < until && !hurry.aborted) {
      if (await this.process.exitedWithin(DRAIN_LOOK_MS)) return;
    }
  }

  /** Asks it to finish, then makes it; resolves once the process is gone. */
  async drain(reason: string): Promise<void> {
    const { shutdownMs, termMs, id } = this.#steps;
    this.retire();
    // Whichever comes first: the answer, the exit, the end of patience. A plugin that answers may go on running (plugins of
    // the older kind do), so SIGTERM follows in any case.
    const asked = this.attachment.requestShutdown(shutdownMs).catch(() => {});
    await Promise.race([asked, this.process.exitedWithin(shutdownMs)]);
    await this.process.end(termMs);
    this.attachment.detach(new HubError(ErrorCode.Unavailable, `Plugin "${id}" ${reason}`));
  }

  /** Puts away what is left of one that ended by itself. */
  async clear(error: HubError): Promise<void> {
    this.attachment.detach(error);
    await this.process.end(this.#steps.termMs);
  }

  /** @param what why it is of no use although the process may be alive, or "" where the process is gone */
  async #end(what: string): Promise<InstanceEnd> {
    const { process } = this;
    const status = what === "" ? await process.exited : undefined;
    const how = status === undefined ? what : describeExit(status);
    const error = new HubError(ErrorCode.Unavailable, `Plugin "${this.#steps.id}" ${how}`);
    return { error: withStderr(error, process.stderrTail(5)), clean: status?.code === 0 };
  }
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
