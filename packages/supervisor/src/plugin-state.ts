import type { HubError } from "@orchestrator/protocol";

/**
 * Where a plugin is in its life. Each state carries what exists only in it, and why it was entered. Times are epoch milliseconds.
 * `backoff` leads back to `starting`; `stopped` and `failed` last until somebody asks for a start.
 */
export type PluginState =
  | { readonly name: "registered" }
  | { readonly name: "starting"; readonly attempt: number; readonly sinceMs: number; readonly reason: string }
  | { readonly name: "ready"; readonly sinceMs: number; readonly startMs: number; readonly reason: string }
  | { readonly name: "draining"; readonly deadlineMs: number; readonly reason: string }
  | { readonly name: "stopped"; readonly reason: string }
  | { readonly name: "backoff"; readonly retryAtMs: number; readonly error: HubError }
  | { readonly name: "failed"; readonly error: HubError };

export type PluginStateName = PluginState["name"];

/** What happened, in one line, and the lines with the plugin's last words, if there are any. */
export function reasonAndWords({ message }: HubError): readonly [string, ...string[]] {
  const [first = "", ...words] = message.split("\n");
  return [first.replace(/\. Its last words:$/, ""), ...words];
}

/** One line for people, and after it the plugin's last words: why it is in this state. */
export function describeState(state: PluginState): string {
  switch (state.name) {
    case "registered":
      return "";
    case "backoff": {
      const [why, ...words] = reasonAndWords(state.error);
      const when = `${why}; next start at ${new Date(state.retryAtMs).toISOString()}`;
      return [words.length === 0 ? when : `${when}. Its last words:`, ...words].join("\n");
    }
    case "failed":
      return state.error.message;
    case "starting":
      return state.attempt > 1 ? `attempt ${state.attempt}: ${state.reason}` : state.reason;
    default:
      return state.reason;
  }
}
