import type { HealthReport } from "./attachment.ts";
import { DEFAULT_HEALTH, HealthCheck } from "./health-check.ts";
import { IdleCheck } from "./idle-check.ts";
import type { PluginEventType } from "./plugin-event.ts";
import type { PluginInstance } from "./plugin-instance.ts";
import type { SupervisedPluginOptions } from "./supervised-plugin-options.ts";

const UNKNOWN: HealthReport = { status: "unknown", message: "" };

interface CareHooks {
  event(type: PluginEventType, details: Readonly<Record<string, string | number | boolean>>): void;
  idle(reason: string): void;
}

/** Looks after the instance that serves: whether it is well, and whether it has anything to do. */
export class InstanceCare {
  readonly #options: SupervisedPluginOptions;
  readonly #hooks: CareHooks;
  #check: HealthCheck | undefined;
  #ends: (() => void)[] = [];

  constructor(options: SupervisedPluginOptions, hooks: CareHooks) {
    this.#options = options;
    this.#hooks = hooks;
  }

  get health(): HealthReport {
    return this.#check?.health ?? UNKNOWN;
  }

  /** From now on for this instance, and no longer for another one. */
  begin(instance: PluginInstance): void {
    this.end();
    const { rounds, activity, idleStopMs = 0 } = this.#options;
    if (rounds === undefined) return;
    const policy = { ...DEFAULT_HEALTH, ...this.#options.health };
    if (policy.intervalMs > 0 && instance.attachment.ping !== undefined) {
      const check = new HealthCheck(instance.attachment, policy, {
        changed: (health, previous) => this.#changed(health, previous),
        silent: (error) => instance.giveUp(error),
      });
      this.#check = check;
      this.#ends.push(rounds.add(check), () => check.end());
    }
    if (idleStopMs > 0 && activity !== undefined) {
      const idle = new IdleCheck(idleStopMs, activity, () => this.#hooks.idle(`idle for ${idleStopMs} ms`));
      this.#ends.push(rounds.add(idle));
    }
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#check = undefined;
  }

  /** The first good word after a start is nothing new. */
  #changed({ status, message }: HealthReport, previous: HealthReport): void {
    if (status === "unhealthy" || status === "degraded") this.#hooks.event("unhealthy", { status, reason: message });
    else if (previous.status !== "unknown" || status === "unknown") {
      this.#hooks.event("healthy", { status, reason: message });
    }
  }
}
