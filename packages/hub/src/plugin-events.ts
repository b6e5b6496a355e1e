import { type EventsCommand, PluginResponse } from "@orchestrator/protocol";
import type { RecordedEvent, Store } from "@orchestrator/store";
import type { CallId } from "@orchestrator/transport";
import type { HubLog } from "./hub-log.ts";
import { reply } from "./local-answers.ts";
import type { Port, PortCall } from "./port.ts";

/** Events that wait for a follower that reads slowly; more are dropped, and it is told how many. */
const WAITING_EVENTS = 10_000;
/** Of one message: with the longest details it stays far below what a frame holds. */
const MESSAGE_EVENTS = 100;

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
  if (command.follow) new EventFollower(port, call, requestId, command, store).start(past);
  else reply(port, call, { requestId }, eventBatch(past));
}

/** One `events -f`: sends events as they are recorded, as fast as the operator's terminal takes them. */
class EventFollower implements PortCall {
  readonly #port: Port;
  readonly #call: CallId;
  readonly #requestId: string;
  readonly #unfollow: () => void;
  #waiting: RecordedEvent[] = [];
  #lastId = 0;
  #dropped = 0;
  #isFull = false;
  #isScheduled = false;

  constructor(port: Port, call: CallId, requestId: string, { plugin, type }: EventsCommand, store: Store) {
    this.#port = port;
    this.#call = call;
    this.#requestId = requestId;
    port.attach(call, this);
    this.#unfollow = store.events.follow((event) => {
      if ((plugin === "" || event.plugin === plugin) && (type === "" || event.type === type)) this.#push(event);
    });
  }

  /** At least one message is sent, so that the peer knows that it is heard. */
  start(past: readonly RecordedEvent[]): void {
    this.#waiting = [...past];
    this.#lastId = past.at(-1)?.id ?? 0;
    if (past.length === 0) this.#send([]);
    else this.#schedule();
  }

  message(port: Port, call: CallId, payload: Uint8Array, last: boolean): void {
    if (!last) port.link.credit(call, payload.length);
  }

  cancelled(): void {
    this.#unfollow();
    this.#waiting = [];
  }

  drained(): void {
    this.#isFull = false;
    this.#flush();
  }

  #push(event: RecordedEvent): void {
    // It may have been on disk, and among the past ones, before its follower was told.
    if (event.id <= this.#lastId) return;
    if (this.#waiting.length >= WAITING_EVENTS) this.#dropped += 1;
    else this.#waiting.push(event);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isFull) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#isFull && this.#waiting.length > 0) {
      const events = this.#waiting.splice(0, MESSAGE_EVENTS);
      if (this.#waiting.length === 0 && this.#dropped > 0) {
        const details = { dropped: this.#dropped, reason: "they came faster than they were read" };
        events.push({ id: 0, timeMs: Date.now(), plugin: "hub", type: "dropped", details });
        this.#dropped = 0;
      }
      this.#send(events);
    }
  }

  #send(events: readonly RecordedEvent[]): void {
    const response = { requestId: this.#requestId, response: eventBatch(events), error: undefined };
    this.#isFull = !this.#port.reply(this.#call, PluginResponse.encode(response).finish(), false);
  }
}

function eventBatch(events: readonly RecordedEvent[]): PluginResponse["response"] {
  return { $case: "control", value: { result: { $case: "events", value: { events: events.map(toWire) } } } };
}

function toWire({ id, timeMs, plugin, type, details }: RecordedEvent) {
  return { id, timeMs, plugin, type, details: details as Record<string, unknown> };
}
