import { matchesName } from "@orchestrator/config";
import { ErrorCode, HubError, type PluginManifest } from "@orchestrator/protocol";
import type { Needs } from "./policy.ts";

/** The lists that `--manifest` prints, and so limits. Topics are not among them: they travel in the registration alone. */
const LIMITED = { storage: "needs_storage", tools: "needs_tools", ai: "needs_ai", http: "needs_http" } as const;
const LABELS = { ...LIMITED, events: "needs_events" } as const;

/**
 * Characters that a list's entries with a "*" may have together. A name is tried against each of them, which costs at most the
 * product of both lengths: with this it is a millisecond for the worst list and the longest name.
 */
const MAX_PATTERN_LENGTH = 1_024;
/** Each topic is a subscription. */
const MAX_TOPICS = 512;

export function needsOf(manifest: PluginManifest): Needs {
  const { needsStorage, needsTools, needsAi, needsEvents, needsHttp } = manifest;
  return { storage: needsStorage, tools: needsTools, ai: needsAi, events: needsEvents, http: needsHttp };
}

/** What either needs. */
export function unitedNeeds(a: Needs, b: Needs): Needs {
  const both = (key: keyof Needs) => [...new Set([...a[key], ...b[key]])];
  return { storage: both("storage"), tools: both("tools"), ai: both("ai"), events: both("events"), http: both("http") };
}

/**
 * The limits that a program set itself with what it printed. A list that it did not print is none: programs of one kind print no
 * more than two of them.
 * @param json what it printed, a JSON object
 */
export function printedNeeds(json: string, manifest: PluginManifest): Partial<Needs> {
  const printed = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const needs = needsOf(manifest);
  const keys = (Object.keys(LIMITED) as (keyof typeof LIMITED)[]).filter((key) => Object.hasOwn(printed, LIMITED[key]));
  return Object.fromEntries(keys.map((key) => [key, needs[key]]));
}

/** @throws {HubError} `INVALID_ARGUMENT` for needs that would make the hub work too hard to check them; names the list */
export function checkNeeds(manifest: PluginManifest): void {
  for (const [key, list] of Object.entries(needsOf(manifest)) as [keyof Needs, readonly string[]][]) {
    const length = list.reduce((sum, entry) => (entry.includes("*") ? sum + entry.length : sum), 0);
    if (length > MAX_PATTERN_LENGTH) {
      const what = `patterns in ${LABELS[key]} of "${manifest.id}" have ${length} characters, the limit is ${MAX_PATTERN_LENGTH}`;
      throw new HubError(ErrorCode.InvalidArgument, `Cannot accept manifest: ${what}`);
    }
  }
  if (manifest.needsEvents.length > MAX_TOPICS) {
    const what = `needs_events of "${manifest.id}" has over ${MAX_TOPICS} entries`;
    throw new HubError(ErrorCode.InvalidArgument, `Cannot accept manifest: ${what}`);
  }
}

/**
 * What of `asked` lies within `ceiling`. What a plugin said before it ran is what the operator could look at; a plugin that is
 * taken over while it runs must not be able to give itself more.
 * @returns the needs that remain, and what was left out, as "needs_tools delete_*"
 */
export function limitNeeds(asked: Needs, ceiling: Needs): { readonly needs: Needs; readonly refused: string[] } {
  const refused: string[] = [];
  const within = (key: keyof typeof LIMITED) => {
    // A literal list is the common case; only then are patterns tried.
    const literal = new Set(ceiling[key]);
    const patterns = ceiling[key].filter((entry) => entry.includes("*"));
    return asked[key].filter((entry) => {
      // In a pattern's eyes the "*" of the other is one more character, which only its own "*" can stand for: a match means
      // that it covers whatever the other one does.
      if (literal.has(entry) || patterns.some((pattern) => matchesName(pattern, entry))) return true;
      refused.push(`${LIMITED[key]} ${entry}`);
      return false;
    });
  };
  const needs = {
    storage: within("storage"),
    tools: within("tools"),
    ai: within("ai"),
    http: within("http"),
    events: asked.events,
  };
  return { needs, refused };
}
