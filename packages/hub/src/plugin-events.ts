import type { EventsCommand, PluginResponse } from "@orchestrator/protocol";
import type { RecordedEvent, Store } from "@orchestrator/store";
import type { CallId } from "@orchestrator/transport";
import { FollowQueue } from "./follow-queue.ts";
import { type AnswerTo, FollowedAnswer } from "./followed-answer.ts";
import type { HubLog } from "./hub-log.ts";
import { reply } from "./local-answers.ts";
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

/** Answers `orchestrator events`. */
export function answerEvents(port: Port, call: CallId, requestId: string, command: EventsCommand, store: Store): void {
  const past = store.events.query(command);
  if (command.follow) followEvents({ port, call, requestId }, command, store, past);
  else reply(port, call, { requestId }, eventBatch(past));
}

/** One `events -f`. */
function followEvents(
  to: AnswerTo,
  { plugin, type }: EventsCommand,
  store: Store,
  past: readonly RecordedEvent[],
): void {
  const queue = new FollowQueue<RecordedEvent>({
    capacity: 10_000,
    // With the longest details it stays far below what a frame holds.
    perMessage: 100,
    sizeOf: () => 1,
    missing: (dropped) => {
      const details = { dropped, reason: "they came faster than they were read" };
      return { id: 0, timeMs: Date.now(), plugin: "hub", type: "dropped", details };
    },
  });
  for (const event of past) queue.push(event);
  const lastId = past.at(-1)?.id ?? 0;
  const unfollow = store.events.follow((event) => {
    // It may have been on disk, and among the past ones, before its follower was told.
    if (event.id <= lastId || (plugin !== "" && event.plugin !== plugin) || (type !== "" && event.type !== type))
      return;
    queue.push(event);
    answer.wake();
  });
  const next = () => {
    const events = queue.take();
    return events && eventBatch(events);
  };
  const answer = new FollowedAnswer(to, { next, ended: unfollow });
}

function eventBatch(events: readonly RecordedEvent[]): PluginResponse["response"] {
  return { $case: "control", value: { result: { $case: "events", value: { events: events.map(toWire) } } } };
}

function toWire({ id, timeMs, plugin, type, details }: RecordedEvent) {
  return { id, timeMs, plugin, type, details: details as Record<string, unknown> };
}
