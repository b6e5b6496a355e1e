import type { PluginEntry } from "./plugin-entry.ts";

/**
 * The id in the manifest becomes the plugin's identity, so no two plugins may have the same. The first in the config has it; the
 * others have none, and are told so when they start.
 * @param answers in config order: the id that each program printed, if it did; the config's id stands in for it
 */
export function claimIds(answers: readonly (readonly [PluginEntry, string | undefined])[]): void {
  const taken = new Set<string>();
  for (const [plugin, printed] of answers) {
    const id = printed ?? plugin.config.id;
    plugin.manifestId = taken.has(id) ? "" : id;
    taken.add(id);
  }
}
