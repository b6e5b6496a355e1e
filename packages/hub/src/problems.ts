import { describeState } from "@orchestrator/supervisor";
import type { PluginEntry } from "./plugin-entry.ts";
import type { Collision } from "./routes.ts";

/** Gathers what wants an operator, as one line each. Nothing is remembered: a problem that is mended is no longer listed. */
export class Problems {
  list(plugins: readonly PluginEntry[], collisions: readonly Collision[], warnings: readonly string[]): string[] {
    const lines: string[] = [];
    for (const plugin of plugins) {
      const { state } = plugin.supervised;
      if (state.name !== "failed" && state.name !== "backoff") continue;
      lines.push(`Plugin "${plugin.id}" is ${state.name}: ${inOneLine(describeState(state))}`);
    }
    for (const { table, name, winner, loser } of collisions) {
      const mend = `To choose, set "prefer" or an alias in the config`;
      lines.push(`${table} "${name}" is provided by "${winner}" and by "${loser}"; "${winner}" has it. ${mend}`);
    }
    return [...lines, ...warnings];
  }
}

/** What happened, and of a plugin's last words the very last: mostly it is the one that says why. */
function inOneLine(text: string): string {
  const [what = "", ...words] = text.trimEnd().split("\n");
  const last = words.at(-1)?.trim();
  return last === undefined ? what : `${what} ${last}`;
}
