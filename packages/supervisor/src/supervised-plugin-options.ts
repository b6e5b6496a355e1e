import type { RestartPolicy } from "./backoff.ts";
import type { HealthPolicy } from "./health-check.ts";
import type { Activity } from "./idle-check.ts";
import type { PluginEvent } from "./plugin-event.ts";
import type { InstanceSteps } from "./plugin-instance.ts";
import type { PluginState } from "./plugin-state.ts";
import type { Rounds } from "./rounds.ts";

/** The patience with a plugin, in milliseconds, where nobody says otherwise. */
export const DEFAULT_STEPS = { startTimeoutMs: 30_000, shutdownMs: 5_000, termMs: 2_000, drainMs: 30_000 } as const;

type Patience = keyof typeof DEFAULT_STEPS;

export interface SupervisedPluginOptions extends Omit<InstanceSteps, Patience>, Partial<Pick<InstanceSteps, Patience>> {
  readonly restart?: Partial<RestartPolicy>;
  /**
   * Begins the start after a crash when it is its turn; the promise of `start` resolves when that start is over. Default: at
   * once, which is too much where many plugins die of one cause.
   */
  readonly restartInTurn?: (start: () => Promise<unknown>) => void;
  readonly health?: Partial<HealthPolicy>;
  /** The timer that all plugins share. Without it nothing but the process and the connection is watched. */
  readonly rounds?: Rounds;
  /** Stopped after so many milliseconds without work; whoever needs it calls `wake`. 0, the default: never. */
  readonly idleStopMs?: number;
  /** What the plugin has to do; needed for `idleStopMs`. */
  readonly activity?: () => Activity;
  /** Every change of the state goes through here, once, in order. Must not throw. */
  readonly onState: (state: PluginState, previous: PluginState) => void;
  /** Everything that happens, for those who keep it. Must not throw. */
  readonly onEvent?: (event: PluginEvent) => void;
}
