import type { EventsCommand, PluginResponse } from "@orchestrator/protocol";
import type { RecordedEvent, Store } from "@orchestrator/store";
import type { CallId } from "@orchestrator/transport";
import { FollowedAnswer } from "./followed-answer.ts";
import type { HubLog } from "./hub-log.ts";
import type { Port } from "./port.ts";

/** Something that happened to a plugin, to be kept. */
export interface EventToKeep {
  /** The id in the config, or "hub". */
  readonly plugin: string;
  readonly type: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Keeps an event. A store that cannot keep it costs the event and a line in the log, never the plugin. */
export function keepEvent(store: Store | undefined, log: HubLog, event: EventToKeep): void {
  store?.events.record(event).catch((reason: unknown) => {
    log.write("warn", event.plugin, `Event "${event.type}" was not recorded: ${(reason as Error).message}`);
  });
}

/**
 * Answers `orchestrator events`, a page at a time. Whoever follows is told from the store as well, so that nothing is kept for one
 * who reads slowly, and nothing is lost or told twice.
 */
export function answerEvents(port: Port, call: CallId, requestId: string, command: EventsCommand, store: Store): void {
  const { plugin, type, sinceMs, follow } = command;
  const { events } = store;
  let { after, upTo } = events.span(command);
  let isPast = true;
  let isHeard = false;
  const read = () => events.page(isPast ? { plugin, type, sinceMs, after, upTo } : { plugin, type, after });
  const next = () => {
    let page = read();
    if (isPast && page.isEnd) {
      isPast = false;
      after = upTo;
      if (follow && page.events.length === 0) page = read();
    }
    // The first message may be empty: it says that what comes now will be told.
    if (page.events.length === 0 && isHeard && follow) return undefined;
    isHeard = true;
    after = Math.max(after, page.events.at(-1)?.id ?? 0);
    return eventBatch(page.events);
  };
  const isEnd = () => !follow && !isPast;
  const unfollow = events.follow((event) => {
    if ((plugin === "" || event.plugin === plugin) && (type === "" || event.type === type)) answer.wake();
  });
  const answer = new FollowedAnswer({ port, call, requestId }, { next, isEnd, ended: unfollow });
}

function eventBatch(events: readonly RecordedEvent[]): PluginResponse["response"] {
  return { $case: "control", value: { result: { $case: "events", value: { events: events.map(toWire) } } } };
}

function toWire({ id, timeMs, plugin, type, details }: RecordedEvent) {
  return { id, timeMs, plugin, type, details: details as Record<string, unknown> };
}
