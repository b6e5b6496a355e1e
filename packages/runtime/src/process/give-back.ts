import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** When a plugin is taken to have started: its first calls, if any, are over by then. */
const AFTER_MS = 1_000;

/**
 * Gives back the memory that starting took, once, when the plugin has been at rest for a moment. Loading modules leaves garbage,
 * and the engine keeps the room that it was in: nearly a third of a small plugin, which is what a host with many of them pays for
 * those that nobody calls. It costs some 20 ms of one core.
 * @param isBusy whether anybody waits for the plugin just now
 */
export function giveBackMemory(isBusy: () => boolean): void {
  // Another engine has other flags.
  if ("deno" in process.versions || "bun" in process.versions) return;
  const timer = setTimeout(() => {
    if (isBusy()) giveBackMemory(isBusy);
    else collect();
  }, AFTER_MS);
  timer.unref();
}

/** A plain collection does not do: only the one that the engine keeps for the last resort gives room back. */
function collect(): void {
  try {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as (options: object) => void;
    setFlagsFromString("--no-expose-gc");
    gc({ type: "major", execution: "sync", flavor: "last-resort" });
  } catch {
    // An engine without it keeps what it has.
  }
}
