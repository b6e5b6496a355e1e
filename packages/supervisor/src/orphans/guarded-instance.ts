import type { CgroupLayout } from "../limits/cgroup-layout.ts";
import { InstanceCgroups } from "../limits/instance-cgroups.ts";
import type { LimitName, ProcessLimits } from "../limits/process-limits.ts";
import { ResourceMeter, type ResourceUse } from "../processes/resource-use.ts";
import type { MarkedProcess } from "./find-marked.ts";
import { type HubMark, instanceDigits, instanceEnv } from "./hub-mark.ts";
import { killAll } from "./kill-all.ts";
import { hasShell, shimmed, survivesShell } from "./launch-shim.ts";

export interface GuardedInstanceOptions {
  readonly mark: HubMark;
  readonly pluginId: string;
  readonly number: number;
  readonly limits: ProcessLimits;
  readonly cgroups: CgroupLayout;
  /** Its living processes. */
  readonly find: () => Promise<readonly MarkedProcess[]>;
  /** It will carry its mark only in its environment. */
  readonly onUnmarked: () => void;
  readonly onStart: (pid: number) => void;
  readonly onEnd: (pid: number) => void;
  /** Processes that cannot be ended: they hang in the kernel, or belong to another user. */
  readonly onLeft: (pids: readonly number[]) => void;
  /** It cannot be seen now whether anything is left; `clear` is to be asked for again. */
  readonly onUnseen: (instance: GuardedInstance, why: string) => void;
}

/** One start of one plugin, with all the processes that come of it. */
export class GuardedInstance {
  readonly pluginId: string;
  readonly #options: GuardedInstanceOptions;
  readonly #cgroups: InstanceCgroups;
  readonly #meter = new ResourceMeter(performance.now());
  #pid = 0;
  #isShimmed = true;
  #clearing: Promise<void> | undefined;

  constructor(options: GuardedInstanceOptions) {
    const { mark, number, pluginId } = options;
    this.#options = options;
    this.pluginId = pluginId;
    this.#cgroups = new InstanceCgroups(options.cgroups, options.limits, { token: mark.token, number });
  }

  /** Limits that do not hold, and why. */
  get limitProblems(): ReadonlyMap<LimitName, string> {
    return this.#cgroups.problems;
  }

  /** @returns what to run, and in which environment, in place of a plain command */
  wrap(command: readonly [string, ...string[]], plain: Readonly<Record<string, string>>) {
    const { mark, pluginId, number } = this.#options;
    const env = { ...plain, ...instanceEnv(mark, pluginId, number) };
    if (process.platform === "win32") return { command, env };
    if (!hasShell() || !survivesShell(env)) {
      this.#isShimmed = false;
      this.#options.onUnmarked();
      return { command, env };
    }
    const { required, optional } = this.#cgroups;
    return { command: shimmed(command, { digits: instanceDigits(mark, number), env, required, optional }), env };
  }

  started(pid: number): void {
    this.#pid = pid;
    if (!this.#isShimmed) this.#cgroups.enter(pid);
    this.#options.onStart(pid);
  }

  /** What a limit did to it, for the reason of a crash. @param wasKilled by SIGKILL */
  limitReached(wasKilled: boolean): string | undefined {
    return this.#cgroups.reached(wasKilled);
  }

  async usage(): Promise<ResourceUse | undefined> {
    const found = await this.#options.find().catch(() => []);
    return await this.#meter.read(new Set([this.#pid, ...found.map(({ pid }) => pid)]));
  }

  /**
   * Kills what is left of it, wherever it went, and removes its control groups. Resolves when all of it is gone, or when that has
   * taken too long and was told. Repeatable.
   */
  async clear(): Promise<void> {
    this.#clearing ??= this.#clear();
    await this.#clearing;
  }

  async #clear(): Promise<void> {
    this.#cgroups.kill();
    const { left, unseen } = await killAll(this.#options.mark, { find: this.#options.find });
    if (unseen !== undefined) {
      this.#clearing = undefined;
      this.#options.onUnseen(this, unseen.message);
      return;
    }
    if (left.length > 0) this.#options.onLeft(left.map(({ pid }) => pid));
    await this.#cgroups.remove();
    this.#options.onEnd(this.#pid);
  }
}
