import type { PluginInstance } from "./plugin-instance.ts";

/** Replaced instances: each finishes what it has begun, while the new one serves. */
export class RetiredInstances {
  readonly #leaving = new Set<Promise<void>>();
  #hurry = new AbortController();

  add(instance: PluginInstance): void {
    instance.retire();
    const leaving = instance
      .quiet(this.#hurry.signal)
      .then(() => instance.drain("was replaced by a new instance"))
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  /** Leaves them no more time for what they have begun. Resolves when those that there are now have gone. */
  async end(): Promise<void> {
    this.#hurry.abort();
    this.#hurry = new AbortController();
    await Promise.all(this.#leaving);
  }
}
