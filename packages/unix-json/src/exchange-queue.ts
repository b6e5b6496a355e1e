import { ErrorCode, HubError, type PluginResponse } from "@orchestrator/protocol";
import type { CallId } from "@orchestrator/transport";
import { PluginConnection } from "./connection.ts";
import type { Exchange, Question } from "./exchange.ts";
import { NextDeadline } from "./next-deadline.ts";
import { Reuse } from "./reuse.ts";
import { Width } from "./width.ts";

/** Questions that wait hold their bytes: this many in all, whatever their number. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
/** Of the time that a question has left, how much it may wait in the plugin while others are answered. */
const PATIENT_PART = 1 / 4;

export interface ExchangeQueueOptions {
  readonly peer: string;
  readonly path: string;
  readonly connections?: number | undefined;
  readonly queueLimit?: number;
  readonly onRemark?: (text: string) => void;
  readonly answer: (exchange: Exchange, response: NonNullable<PluginResponse["response"]>) => void;
  readonly fail: (exchange: Exchange, error: HubError) => void;
}

/**
 * Asks a plugin in order of arrival, one question at a time or, where it serves that, several. A question has a connection for
 * itself; while others wait, a connection that has served is used again, so long as the plugin lets it.
 */
export class ExchangeQueue {
  readonly #options: ExchangeQueueOptions;
  readonly #width: Width;
  readonly #queueLimit: number;
  /** Everything that has not ended, in order of arrival. */
  readonly #exchanges = new Map<CallId, Exchange>();
  /** Those of them that are asked now, each on one of these. */
  readonly #open = new Set<PluginConnection>();
  /** Those that wait for a connection. */
  #waiting: Exchange[] = [];
  #waitingBytes = 0;
  readonly #reuse = new Reuse();
  readonly #deadline = new NextDeadline((nowMs) => this.#expire(nowMs));
  heard = 0;
  /** It was asked something, nobody waits for the answer any more, and nothing was heard of it since. */
  isOwed = false;

  constructor(options: ExchangeQueueOptions) {
    this.#options = options;
    this.#width = new Width(options.connections);
    this.#queueLimit = options.queueLimit ?? 256;
  }

  get size(): number {
    return this.#exchanges.size;
  }

  /** @throws {HubError} `RESOURCE_EXHAUSTED` when too many wait */
  add(call: CallId, requestId: string, question: Question): void {
    const nowMs = performance.now();
    const isFull = this.#open.size >= this.#limit(nowMs);
    if (isFull) this.#checkRoom(question);
    const deadlineMs = nowMs + question.timeoutMs;
    const rest = { refused: undefined, connection: undefined, isReused: false };
    const exchange: Exchange = { call, requestId, question, deadlineMs, ...rest };
    this.#exchanges.set(call, exchange);
    this.#deadline.add(deadlineMs);
    if (!isFull) this.#ask(exchange, undefined);
    else {
      this.#waiting.push(exchange);
      this.#waitingBytes += question.frame.length;
    }
  }

  /** Nobody waits for the answer any more. */
  cancel(call: CallId): void {
    const exchange = this.#exchanges.get(call);
    if (exchange === undefined) return;
    this.#exchanges.delete(call);
    if (exchange.connection === undefined) {
      this.#waiting.splice(this.#waiting.indexOf(exchange), 1);
      this.#waitingBytes -= exchange.question.frame.length;
    } else {
      this.isOwed = true;
      this.#drop(exchange.connection);
      this.#next(undefined);
    }
  }

  /** Drops everything. @returns the calls that had not ended */
  clear(): CallId[] {
    const calls = [...this.#exchanges.keys()];
    this.#reuse.stop();
    for (const connection of this.#open) connection.close();
    this.#open.clear();
    this.#exchanges.clear();
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#deadline.clear();
    return calls;
  }

  #checkRoom(question: Question): void {
    const { peer } = this.#options;
    if (this.#waiting.length >= this.#queueLimit) {
      const what = `${this.#waiting.length} calls wait for plugin "${peer}", which is the limit of its queue`;
      throw new HubError(ErrorCode.ResourceExhausted, what);
    }
    if (this.#waiting.length > 0 && this.#waitingBytes + question.frame.length > MAX_QUEUED_BYTES) {
      const what = `Calls of ${this.#waitingBytes} bytes wait for plugin "${peer}", the limit is ${MAX_QUEUED_BYTES}`;
      throw new HubError(ErrorCode.ResourceExhausted, what);
    }
  }

  #ask(exchange: Exchange, used: PluginConnection | undefined): void {
    const connection = used ?? this.#dial(exchange.deadlineMs);
    exchange.connection = connection;
    exchange.isReused = used !== undefined;
    this.#open.add(connection);
    connection.ask(exchange.question.frame, {
      answered: (frame) => this.#answered(exchange, connection, frame),
      failed: (error, isUnread) => {
        this.#open.delete(connection);
        this.#failed(exchange, error, isUnread);
      },
    });
  }

  #dial(deadlineMs: number): PluginConnection {
    const nowMs = performance.now();
    const patientUntilMs = nowMs + (deadlineMs - nowMs) * PATIENT_PART;
    return new PluginConnection(this.#options.path, { madeAt: this.heard, patientUntilMs });
  }

  #answered(exchange: Exchange, connection: PluginConnection, frame: Uint8Array): void {
    this.heard += 1;
    this.isOwed = false;
    let answer: ReturnType<Question["read"]>;
    try {
      answer = exchange.question.read(frame);
      if (!answer.hasId && exchange.isReused) throw new HubError(ErrorCode.Protocol, "answered without an id");
    } catch (reason) {
      this.#drop(connection);
      this.#failed(exchange, HubError.from(reason, ErrorCode.Protocol), false);
      return;
    }
    if (exchange.isReused) this.#reuse.worked();
    const nowMs = performance.now();
    this.#width.answered(connection, this.#open, nowMs);
    this.#exchanges.delete(exchange.call);
    const { response, hasId, remarks } = answer;
    for (const remark of remarks) this.#options.onRemark?.(`${exchange.question.name}: ${remark}`);
    this.#options.answer(exchange, response);
    // An answer can lead to anything, also to the end of this link.
    if (!this.#open.has(connection)) return;
    const goesOn = hasId && connection.isUsable && this.#width.mayGoOn(connection, this.#open, this.heard, nowMs);
    if (!goesOn) this.#drop(connection);
    this.#next(goesOn ? connection : undefined);
  }

  #drop(connection: PluginConnection): void {
    this.#open.delete(connection);
    connection.close();
  }

  /** @param error completes the sentence "Plugin X …" */
  #failed(exchange: Exchange, error: HubError, isUnread: boolean): void {
    if (exchange.isReused) {
      // The plugin hung up after its last answer, or had more to say to the last question: no fault of this one.
      // Nor of the connection, where the question is one that it may not know how to read.
      if (exchange.question.otherwise === undefined) this.#reuse.failed();
      if (isUnread || exchange.question.isRepeatable) {
        this.#ask(exchange, undefined);
        return;
      }
    }
    const { refused, question } = exchange;
    if (!exchange.isReused && isUnread && this.#open.size > 0) {
      // It has no room for another connection. The question waits for one of the others, each of which comes to an end.
      this.#width.refused(this.#open.size);
      exchange.connection = undefined;
      this.#waiting.unshift(exchange);
      this.#waitingBytes += question.frame.length;
      return;
    }
    if (question.otherwise !== undefined && error.code === ErrorCode.Unavailable) {
      exchange.refused = error;
      exchange.question = question.otherwise();
      this.#ask(exchange, undefined);
      return;
    }
    this.#exchanges.delete(exchange.call);
    // What it makes of the other form tells nothing, unless it made something of it.
    this.#options.fail(exchange, this.#named(error.code === ErrorCode.Unavailable ? (refused ?? error) : error));
    this.#next(undefined);
  }

  /** The next in the queue. `used` is an open connection that could serve it. */
  #next(used: PluginConnection | undefined): void {
    let connection = used;
    const nowMs = performance.now();
    while (connection !== undefined || this.#open.size < this.#limit(nowMs)) {
      const exchange = this.#waiting.shift();
      if (exchange === undefined) break;
      this.#waitingBytes -= exchange.question.frame.length;
      const reuses = connection !== undefined && this.#reuse.allows(exchange.question);
      if (!reuses) this.#release(connection);
      this.#ask(exchange, reuses ? connection : undefined);
      connection = undefined;
    }
    this.#release(connection);
  }

  #limit(nowMs: number): number {
    return this.#width.limit(this.#open, this.#reuse.keeps === true, nowMs);
  }

  #release(connection: PluginConnection | undefined): void {
    if (connection === undefined) return;
    this.#open.delete(connection);
    this.#reuse.release(connection);
  }

  /** @returns when the next one is due */
  #expire(nowMs: number): number {
    let next = Number.POSITIVE_INFINITY;
    const late: Exchange[] = [];
    for (const exchange of this.#exchanges.values()) {
      if (exchange.deadlineMs <= nowMs) late.push(exchange);
      else next = Math.min(next, exchange.deadlineMs);
    }
    // Those at the end first: a place that comes free is not for one whose time is over as well.
    for (const exchange of late.reverse()) {
      // Whoever heard of another one's end may have ended this one.
      if (!this.#exchanges.has(exchange.call)) continue;
      const { name, timeoutMs } = exchange.question;
      // Where they fail, plugins of this kind write so into their log, and answer nothing.
      const isAsked = exchange.connection !== undefined;
      const where = isAsked ? "; its log may say why" : ", all of which it waited for its turn";
      const what = `Plugin "${this.#options.peer}" did not answer ${name} within ${timeoutMs} ms${where}`;
      this.cancel(exchange.call);
      const { refused } = exchange;
      const error = refused === undefined ? new HubError(ErrorCode.DeadlineExceeded, what) : this.#named(refused);
      this.#options.fail(exchange, error);
    }
    return next;
  }

  #named(error: HubError): HubError {
    return new HubError(error.code, `Plugin "${this.#options.peer}" ${error.message}`, { cause: error.cause });
  }
}
