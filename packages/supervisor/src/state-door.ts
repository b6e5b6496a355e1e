import type { PluginState, PluginStateName } from "./plugin-state.ts";

/** The one way into a state, and the way to wait for one. */
export class StateDoor {
  readonly #onState: (state: PluginState, previous: PluginState) => void;
  readonly #watchers = new Set<(state: PluginState) => void>();
  #state: PluginState = { name: "registered" };

  constructor(onState: (state: PluginState, previous: PluginState) => void) {
    this.#onState = onState;
  }

  get state(): PluginState {
    return this.#state;
  }

  enter(state: PluginState): void {
    const previous = this.#state;
    this.#state = state;
    this.#onState(state, previous);
    for (const watcher of [...this.#watchers]) watcher(state);
  }

  /** Resolves as soon as the plugin is in one of these states. */
  async reached(...names: readonly PluginStateName[]): Promise<PluginState> {
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

  /** Resolves when no start is under way. */
  async settled(): Promise<PluginState> {
    return await this.reached("ready", "backoff", "failed", "stopped");
  }
}
