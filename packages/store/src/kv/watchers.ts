import type { Expired } from "../writer/messages.ts";
import type { KvChange } from "./entry.ts";
import type { KvWatcher } from "./kv-watcher.ts";

const NOTHING = new Uint8Array();

/** Who watches what. */
export class Watchers {
  readonly #byNamespace = new Map<string, Set<KvWatcher>>();

  add(namespace: string, watcher: KvWatcher): void {
    const watchers = this.#byNamespace.get(namespace);
    if (watchers === undefined) this.#byNamespace.set(namespace, new Set([watcher]));
    else watchers.add(watcher);
  }

  remove(namespace: string, watcher: KvWatcher): void {
    const watchers = this.#byNamespace.get(namespace);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.#byNamespace.delete(namespace);
  }

  /** Whether anybody wants to hear of this key, so that its value must be kept until the commit. */
  wants(namespace: string, key: string): boolean {
    const watchers = this.#byNamespace.get(namespace);
    if (watchers === undefined) return false;
    for (const { prefix } of watchers) if (key.startsWith(prefix)) return true;
    return false;
  }

  tell(namespace: string, change: KvChange, sequence: number): void {
    const watchers = this.#byNamespace.get(namespace);
    if (watchers === undefined) return;
    for (const watcher of watchers) {
      if (change.entry.key.startsWith(watcher.prefix)) watcher.changed(change, sequence);
    }
  }

  expired(entries: readonly Expired[]): void {
    for (const { namespace, sequence, key: bytes, ...info } of entries) {
      if (!this.#byNamespace.has(namespace)) continue;
      const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
      const { version, updatedAtMs, expiresAtMs } = info;
      const entry = { key, value: NOTHING, version, updatedAtMs, expiresAtMs };
      this.tell(namespace, { entry, removed: true }, sequence);
    }
  }

  /** Everybody, for the end. */
  closeAll(): void {
    for (const watchers of [...this.#byNamespace.values()]) for (const watcher of [...watchers]) watcher.close();
  }
}
