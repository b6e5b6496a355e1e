import type { PluginInstance } from "./plugin-instance.ts";

/** Replaced instances: each finishes what it has begun, while the new one serves. */
export class RetiredInstances {
  readonly #leaving = new Set<Promise<void>>();

  /** @param hurry aborted when there is no time left for what it has begun */
  add(instance: PluginInstance, hurry: AbortSignal): void {
    instance.retire();
    const leaving = instance
      .quiet(hurry)
      .then(() => instance.drain("was replaced by a new instance"))
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  /** Resolves when those that there are now have gone. */
  async gone(): Promise<void> {
    await Promise.all(this.#leaving);
  }
}
