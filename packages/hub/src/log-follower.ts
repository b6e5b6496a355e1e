import { type LogLine, PluginResponse } from "@orchestrator/protocol";
import type { CallId } from "@orchestrator/transport";
import type { HubLog, LogEntry } from "./hub-log.ts";
import type { Port, PortCall } from "./port.ts";

/** Lines of one message, about. A message that is larger holds up everything else on its link. */
const MESSAGE_BYTES = 1024 * 1024;
/** Lines that wait for a follower that reads slowly; more are dropped, and it is told how many. */
const WAITING_BYTES = 4 * 1024 * 1024;
/** What a line takes beside its text: time, source, level, tags and lengths. */
const LINE_BYTES = 256;

/** One `logs -f`: sends lines as they come, as fast as the operator's terminal takes them. */
export class LogFollower implements PortCall {
  readonly #port: Port;
  readonly #call: CallId;
  readonly #requestId: string;
  readonly #unfollow: () => void;
  #waiting: LogEntry[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #full = false;
  #scheduled = false;

  /** @param source a plugin's id, or "" for all */
  constructor(port: Port, call: CallId, requestId: string, log: HubLog, source: string) {
    this.#port = port;
    this.#call = call;
    this.#requestId = requestId;
    port.attach(call, this);
    this.#unfollow = log.follow((entry) => {
      if (source === "" || entry.source === source) this.#push(entry);
    });
  }

  /** @param lines the past ones; they are all sent, and at least one message is */
  start(lines: readonly LogEntry[]): void {
    if (lines.length === 0) this.#send([]);
    // The log keeps no more than fits here, so none of them is dropped.
    for (const line of lines) this.#push(line);
  }

  message(port: Port, call: CallId, payload: Uint8Array, last: boolean): void {
    if (!last) port.link.credit(call, payload.length);
  }

  cancelled(): void {
    this.#unfollow();
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  drained(): void {
    this.#full = false;
    this.#flush();
  }

  #push(entry: LogEntry): void {
    const bytes = sizeOf(entry);
    if (this.#waitingBytes + bytes > WAITING_BYTES) this.#dropped += 1;
    else {
      this.#waiting.push(entry);
      this.#waitingBytes += bytes;
    }
    this.#schedule();
  }

  /** One message for all lines of a turn of the loop, or several where they are long. */
  #schedule(): void {
    if (this.#scheduled || this.#full) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    let from = 0;
    while (!this.#full && from < this.#waiting.length) {
      let to = from;
      let bytes = 0;
      while (to < this.#waiting.length) {
        const size = sizeOf(this.#waiting[to]!);
        if (to > from && bytes + size > MESSAGE_BYTES) break;
        bytes += size;
        to += 1;
      }
      const lines = this.#waiting.slice(from, to);
      from = to;
      this.#waitingBytes -= bytes;
      if (from === this.#waiting.length && this.#dropped > 0) {
        const text = `${this.#dropped} lines were dropped because they came faster than they were read`;
        lines.push({ timeMs: Date.now(), source: "hub", level: "warn", text, fields: undefined });
        this.#dropped = 0;
      }
      this.#send(lines);
    }
    this.#waiting = this.#waiting.slice(from);
  }

  #send(lines: readonly LogEntry[]): void {
    const response = { requestId: this.#requestId, response: logBatch(lines), error: undefined };
    this.#full = !this.#port.reply(this.#call, PluginResponse.encode(response).finish(), false);
  }
}

export function logBatch(lines: readonly LogEntry[]): PluginResponse["response"] {
  const wire: LogLine[] = lines.map((line) => ({ ...line }));
  return { $case: "control", value: { result: { $case: "logs", value: { lines: wire } } } };
}

function sizeOf({ text, fields }: LogEntry): number {
  return LINE_BYTES + Buffer.byteLength(text) + (fields === undefined ? 0 : JSON.stringify(fields).length);
}
