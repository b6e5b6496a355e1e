import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { PluginEvent, PluginEventType, PluginState } from "@orchestrator/supervisor";
import type { HubLog } from "../hub-log.ts";
import type { PluginEntry } from "../plugin-entry.ts";
import type { PluginSwitches } from "./plugin-switches.ts";

export interface PluginCommandsOptions {
  readonly plugins: () => readonly PluginEntry[];
  readonly switches: PluginSwitches;
  readonly log: HubLog;
  /** The hub stops: nothing is started any more. */
  readonly isStopping: () => boolean;
  /** Starts it as at the start of the hub, lazy ones only as far as they must. */
  readonly start: (plugin: PluginEntry) => Promise<void>;
  /** Runs a start when it is its turn, so that not all plugins start at the same time. */
  readonly inTurn: (plugin: PluginEntry, start: () => Promise<void>) => Promise<void>;
  /** Its program is to be asked anew who it is. */
  readonly forget: (plugin: PluginEntry) => void;
  /** Asks its program who it is. @throws {HubError} where it cannot even tell that */
  readonly ask: (plugin: PluginEntry) => Promise<unknown>;
  /** It came or went as a whole. */
  readonly onSwitched: (plugin: PluginEntry) => void;
  readonly onEvent: (event: PluginEvent) => void;
}

/** What operators, and calls, may ask for while the hub runs. */
export class PluginCommands {
  readonly #options: PluginCommandsOptions;
  readonly #waking = new Map<PluginEntry, Promise<PluginState>>();
  /** Being restarted in place: calls wait. */
  readonly #restarting = new Set<PluginEntry>();
  /** Those that were away: whoever depends on them hears of it when they are back. */
  readonly #away = new Set<PluginEntry>();

  constructor(options: PluginCommandsOptions) {
    this.#options = options;
  }

  /**
   * A new process in place of the one that runs, or the first one. Without a call lost where the plugin and its config allow it.
   * @throws {HubError} why the new process is no good; where that is started beside the old one, the old one serves on
   */
  async restart(plugin: PluginEntry, reason = "restarted by the operator"): Promise<void> {
    this.#assertMayRun(plugin);
    this.#options.forget(plugin);
    const isInPlace = plugin.config.restartMode === "in_place" || !plugin.supervised.canReplace;
    try {
      if (!isInPlace) await plugin.supervised.replace(reason);
      // A program that cannot run at all must not take the place of one that serves.
      else if (plugin.isReady) await this.#options.ask(plugin);
    } catch (thrown) {
      const { code, message } = HubError.from(thrown);
      // Apart from the last words of the new one, where there are some.
      const apart = message.includes("\n") ? "\n" : ". ";
      const stays = plugin.isReady ? `${apart}The instance that ran before serves on` : "";
      throw new HubError(code, `${message}${stays}`, { cause: thrown });
    }
    if (isInPlace) await this.#restartInPlace(plugin, reason);
  }

  /**
   * Remembers the switch, then starts or stops the plugin.
   * @throws {HubError} `INTERNAL` where it cannot be remembered: it is not started then, but stopped all the same, because it may be
   * the one that has filled the disk
   */
  async enable(plugin: PluginEntry, enabled: boolean): Promise<void> {
    if (plugin.isRemoved) {
      const what = `Plugin "${plugin.id}" is just being changed by a reload. Try again`;
      throw new HubError(ErrorCode.Unavailable, what);
    }
    const problem = this.#remember(plugin, enabled);
    if (enabled && problem !== undefined) throw problem;
    const isNew = plugin.enabled !== enabled;
    plugin.enabled = enabled;
    if (isNew) this.#event(plugin, enabled ? "enabled" : "disabled");
    this.#options.onSwitched(plugin);
    if (enabled) await this.#options.start(plugin);
    else {
      this.#away.add(plugin);
      await plugin.supervised.stop("disabled by the operator");
    }
    if (problem === undefined) return;
    const what = `${problem.message}. It is stopped now, and will run again with the next hub`;
    throw new HubError(problem.code, what, { cause: problem });
  }

  async reset(plugin: PluginEntry): Promise<void> {
    this.#assertMayRun(plugin);
    this.#options.forget(plugin);
    plugin.circuits.close("reset by the operator");
    await plugin.supervised.reset();
  }

  /** For calls: undefined where there is nothing to wait for. */
  waker(plugin: PluginEntry): Promise<PluginState> | undefined {
    const { name } = plugin.supervised.state;
    if (!plugin.enabled || this.#options.isStopping() || name === "failed" || name === "backoff") return undefined;
    return plugin.isLazy || this.#restarting.has(plugin) ? this.#wake(plugin) : undefined;
  }

  /** Its process has gone in a way that others may have noticed. */
  left(plugin: PluginEntry): void {
    this.#away.add(plugin);
  }

  /** It serves. */
  served(plugin: PluginEntry): void {
    if (!this.#away.delete(plugin)) return;
    const reason = `"${plugin.id}", which it depends on, was started anew`;
    for (const other of this.#options.plugins()) {
      const { dependsOn, restartWithDependencies } = other.config;
      if (!restartWithDependencies || !dependsOn.includes(plugin.id) || !other.enabled || !other.isReady) continue;
      const restart = async () => {
        // It may be switched off, or on its way by itself, when its turn comes.
        if (other.enabled && other.isReady) await this.restart(other, reason);
      };
      this.#options.inTurn(other, restart).catch((thrown: unknown) => {
        const { message } = HubError.from(thrown);
        this.#options.log.write("error", other.id, `was not restarted although ${reason}: ${message}`);
      });
    }
  }

  #remember(plugin: PluginEntry, enabled: boolean): HubError | undefined {
    try {
      this.#options.switches.set(plugin.id, enabled);
      return undefined;
    } catch (thrown) {
      return HubError.from(thrown);
    }
  }

  async #restartInPlace(plugin: PluginEntry, reason: string): Promise<void> {
    this.#away.add(plugin);
    this.#restarting.add(plugin);
    try {
      await plugin.supervised.restart(reason);
    } finally {
      this.#restarting.delete(plugin);
    }
  }

  /** One start, however many calls ask for it. */
  #wake(plugin: PluginEntry): Promise<PluginState> {
    let waking = this.#waking.get(plugin);
    if (waking === undefined) {
      waking = this.#wakeInOrder(plugin).finally(() => this.#waking.delete(plugin));
      this.#waking.set(plugin, waking);
    }
    return waking;
  }

  async #wakeInOrder(plugin: PluginEntry): Promise<PluginState> {
    const needed = this.#options.plugins().filter(({ id }) => plugin.config.dependsOn.includes(id));
    // One that cannot start does not hold up its dependents: they see for themselves.
    await Promise.allSettled(needed.map((other) => (other.isReady ? undefined : this.waker(other))));
    // Waiting for the others may have taken long: who was switched off meanwhile, or by the end of the hub, stays so.
    if (!plugin.enabled || this.#options.isStopping()) return plugin.supervised.state;
    return await plugin.supervised.wake("a call needs it");
  }

  #assertMayRun(plugin: PluginEntry): void {
    if (this.#options.isStopping()) throw new HubError(ErrorCode.Unavailable, "The hub stops");
    if (plugin.enabled) return;
    const mend = `Enable it: orchestrator plugins enable ${plugin.id}`;
    throw new HubError(ErrorCode.FailedPrecondition, `Plugin "${plugin.id}" is disabled. ${mend}`);
  }

  #event(plugin: PluginEntry, type: PluginEventType): void {
    this.#options.onEvent({ plugin: plugin.id, type, details: { reason: "by the operator" } });
  }
}
