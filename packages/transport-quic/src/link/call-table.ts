import type { CallId } from "@orchestrator/transport";
import type { EngineConnection } from "../engine/engine.ts";
import { Call } from "./call.ts";

/** The calls of one link: by their streams, and those of this side that wait until the peer allows another stream. */
export class CallTable {
  /** Oldest first. A call is in here until its stream is at its end in both directions, or was given up. */
  readonly byStream = new Map<number, Call>();
  /** Calls that a graceful close waits for. */
  open = 0;
  /** Calls of the peer that are not answered yet. */
  unanswered = 0;
  readonly #engine: EngineConnection;
  /** Calls that had to wait for a stream, by their (negative) id, until they end. */
  readonly #late = new Map<CallId, Call>();
  readonly #waiting: Call[] = [];
  #nextStream: number;
  #nextLateId = -1;
  /** Streams that may be opened without asking the engine. */
  #streamsLeft = 0;

  constructor(engine: EngineConnection, firstStream: number) {
    this.#engine = engine;
    this.#nextStream = firstStream;
  }

  /** How many calls wait for a stream. */
  get waiting(): number {
    return this.#waiting.length;
  }

  find(id: CallId): Call | undefined {
    return id < 0 ? this.#late.get(id) : this.byStream.get(id);
  }

  /** A call of this side; without a stream (`stream` below 0) it waits its turn. */
  add(): Call {
    this.open++;
    if (this.#waiting.length === 0 && this.#takeStream()) {
      const call = new Call(this.#nextStream, -1, true);
      this.#assignStream(call);
      return call;
    }
    const call = new Call(this.#nextLateId--, -1, true);
    this.#late.set(call.id, call);
    this.#waiting.push(call);
    return call;
  }

  /** A call of the peer. */
  accept(stream: number): Call {
    const call = new Call(stream, stream, false);
    this.byStream.set(stream, call);
    this.open++;
    this.unanswered++;
    return call;
  }

  /** The next waiting call, now with a stream; undefined where nobody waits or the peer allows no more. */
  takeWaiting(): Call | undefined {
    if (this.#waiting.length === 0 || !this.#takeStream()) return undefined;
    const call = this.#waiting.shift()!;
    this.#assignStream(call);
    return call;
  }

  /** A call that waits need not any more. */
  dropWaiting(call: Call): void {
    const index = this.#waiting.indexOf(call);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  /** The link need not stay open for this call any longer. @returns false when that was known */
  settle(call: Call): boolean {
    if (!call.active) return false;
    call.active = false;
    this.open--;
    if (call.id < 0) this.#late.delete(call.id);
    return true;
  }

  /** Empties the table. @returns what was in it */
  clear(): Call[] {
    const calls = [...this.byStream.values(), ...this.#waiting];
    this.byStream.clear();
    this.#late.clear();
    this.#waiting.length = 0;
    return calls;
  }

  /** Whether a stream can be opened now; the caller then does. */
  #takeStream(): boolean {
    if (this.#streamsLeft <= 0) this.#streamsLeft = this.#engine.streamsLeft();
    if (this.#streamsLeft <= 0) return false;
    this.#streamsLeft--;
    return true;
  }

  #assignStream(call: Call): void {
    call.stream = this.#nextStream;
    this.#nextStream += 4;
    this.byStream.set(call.stream, call);
  }
}
