import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type InstanceSteps, PluginInstance } from "./plugin-instance.ts";
import type { PluginProcess } from "./plugin-process.ts";

/** A new instance that is started and checked beside the one that serves. */
export class Replacement {
  /** Resolves when it is decided whether the new one serves, and nothing is left of one that does not. */
  readonly settled: Promise<void>;
  readonly #settled = Promise.withResolvers<void>();
  readonly #steps: InstanceSteps;
  readonly #stop: AbortSignal;

  constructor(steps: InstanceSteps, stop: AbortSignal) {
    this.#steps = steps;
    this.#stop = stop;
    this.settled = this.#settled.promise;
  }

  /** @throws {HubError} why it is no good; its process is gone then */
  async start(spawned: (process: PluginProcess) => void): Promise<PluginInstance> {
    const instance = await PluginInstance.start(this.#steps, this.#stop, spawned);
    const problem = this.#stop.aborted ? (this.#stop.reason as HubError) : await this.#problem(instance);
    if (problem === undefined) return instance;
    await instance.drain("is not needed");
    throw problem;
  }

  settle(): void {
    this.#settled.resolve();
  }

  /** It must answer, and must not say of itself that it cannot serve. */
  async #problem(instance: PluginInstance): Promise<HubError | undefined> {
    const { id, startTimeoutMs } = this.#steps;
    const { attachment } = instance;
    if (attachment.ping === undefined) return undefined;
    const late = AbortSignal.timeout(startTimeoutMs);
    const signal = AbortSignal.any([this.#stop, late]);
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(HubError.from(signal.reason, ErrorCode.StartFailed));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    try {
      const crash = instance.ended.then(({ error }) => Promise.reject(error));
      const report = await Promise.race([attachment.ping(signal), crash, aborted.promise]);
      if (report.status !== "unhealthy") return undefined;
      const what = `The new instance of plugin "${id}" says that it is unhealthy: ${report.message || "it gave no reason"}`;
      return new HubError(ErrorCode.StartFailed, what);
    } catch (thrown) {
      if (!late.aborted) return HubError.from(thrown, ErrorCode.StartFailed);
      const what = `The new instance of plugin "${id}" did not say within ${startTimeoutMs} ms how it is`;
      return new HubError(ErrorCode.StartFailed, what);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}
