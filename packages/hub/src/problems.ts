import { describeState } from "@orchestrator/supervisor";
import { refusedNeeds } from "./peer-registry.ts";
import type { PluginEntry } from "./plugin-entry.ts";
import { printable } from "./printable.ts";
import type { Collision } from "./routes.ts";

/** Gathers what wants an operator, as one line each. Nothing is remembered: a problem that is mended is no longer listed. */
export class Problems {
  list(plugins: readonly PluginEntry[], collisions: readonly Collision[], warnings: readonly string[]): string[] {
    const lines: string[] = [];
    for (const plugin of plugins) {
      if (plugin.refusedNeeds.length > 0) lines.push(`Plugin "${plugin.id}" ${refusedNeeds(plugin.refusedNeeds)}`);
      for (const trouble of plugin.circuits.troubles) lines.push(`Plugin "${plugin.id}" has given ${trouble}`);
      const { state } = plugin.supervised;
      if (state.name !== "failed" && state.name !== "backoff") continue;
      lines.push(`Plugin "${plugin.id}" is ${state.name}: ${inOneLine(describeState(state))}`);
    }
    const mend = `To choose, set "prefer" or an alias in the config`;
    for (const line of collisionLines(collisions)) lines.push(`${line}. ${mend}`);
    return [...lines, ...warnings].map(printable);
  }
}

/** Names of one table that the same two plugins claim, shown in full up to this many. */
const SHOWN_NAMES = 5;

/** One line for each pair of plugins and table, however many names they both claim. */
export function collisionLines(collisions: readonly Collision[]): string[] {
  const groups = new Map<string, { readonly first: Collision; readonly names: string[] }>();
  for (const collision of collisions) {
    const { table, winner, loser, name } = collision;
    const key = `${table}\u0000${winner}\u0000${loser}`;
    const group = groups.get(key) ?? { first: collision, names: [] };
    groups.set(key, group);
    group.names.push(name);
  }
  return [...groups.values()].map(({ first: { table, winner, loser }, names }) => {
    const shown = names
      .slice(0, SHOWN_NAMES)
      .map((name) => `"${name}"`)
      .join(", ");
    const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : "";
    const is = names.length === 1 ? "is" : "are";
    return `${table} ${shown}${more} ${is} provided by "${winner}" and by "${loser}"; "${winner}" has ${names.length === 1 ? "it" : "them"}`;
  });
}

/** What happened, and of a plugin's last words the very last: mostly it is the one that says why. */
function inOneLine(text: string): string {
  const [what = "", ...words] = text.trimEnd().split("\n");
  const last = words.at(-1)?.trim();
  return last === undefined ? what : `${what} ${last}`;
}
