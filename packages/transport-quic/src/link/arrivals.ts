import type { EngineConnection } from "../engine/engine.ts";
import type { Call } from "./call.ts";
import type { CallEndings } from "./call-endings.ts";
import { CallReader, type ReadEvents } from "./call-reader.ts";
import { AppCode } from "./codes.ts";
import type { LinkContext } from "./link-context.ts";

/** Calls that are asked in vain before the engine is: fewer where that did not help, as with many calls that wait for long. */
const MOST_PROBES = 64;
const FEWEST_PROBES = 4;

/**
 * Finds the streams that have something to read, and reads them. The engine's list of them is dear (it costs as much as a hundred
 * questions about one stream, and garbage that outlives a scavenge), so the likely ones are asked first: the stream that the
 * peer will open next, then the calls that wait for something, oldest first. Only if that leaves something is the list needed.
 */
export class Arrivals {
  readonly #context: LinkContext;
  readonly #engine: EngineConnection;
  readonly #endings: CallEndings;
  readonly #reader: CallReader;
  /** Above every stream that the peer has opened so far. */
  #nextOfPeer: number;
  #probes = MOST_PROBES;

  constructor(context: LinkContext, endings: CallEndings, events: ReadEvents, firstOfPeer: number) {
    this.#context = context;
    this.#engine = context.engine;
    this.#endings = endings;
    this.#reader = new CallReader(context.engine, events);
    this.#nextOfPeer = firstOfPeer;
  }

  /** @param everything reads past windows too: the connection is gone, so nothing more can come */
  read(everything: boolean): void {
    const engine = this.#engine;
    if (!engine.hasReadable) return;
    if (this.#readNew(everything)) return;
    if (this.#readWaiting(everything)) {
      this.#probes = Math.min(MOST_PROBES, this.#probes * 2);
      return;
    }
    this.#probes = Math.max(FEWEST_PROBES, this.#probes >> 1);
    for (const stream of engine.readable()) {
      this.#readStream(stream, everything);
      if (this.#context.phase === "closed") return;
    }
  }

  /** @returns whether that was all */
  #readNew(everything: boolean): boolean {
    const engine = this.#engine;
    let found = false;
    while (engine.isReadable(this.#nextOfPeer)) {
      found = true;
      this.#readStream(this.#nextOfPeer, everything);
      if (this.#context.phase === "closed") return true;
    }
    return found && !engine.hasReadable;
  }

  /** @returns whether that was all */
  #readWaiting(everything: boolean): boolean {
    const engine = this.#engine;
    let probes = this.#probes;
    for (const call of this.#context.calls.byStream.values()) {
      if (call.receiveDone) continue;
      if (engine.isReadable(call.stream)) {
        this.#reader.read(call, everything);
        if (this.#context.phase === "closed" || !engine.hasReadable) return true;
      } else if (--probes === 0) {
        return false;
      }
    }
    return false;
  }

  #readStream(stream: number, everything: boolean): void {
    const { calls } = this.#context;
    let call = calls.byStream.get(stream);
    if (call === undefined) {
      if (stream % 4 !== this.#nextOfPeer % 4) {
        // One of this side's that was given up.
        this.#engine.stop(stream, AppCode.Done);
        return;
      }
      call = this.#accept(stream);
      if (call === undefined) return;
    }
    this.#reader.read(call, everything);
  }

  #accept(stream: number): Call | undefined {
    const { calls, phase } = this.#context;
    if (stream >= this.#nextOfPeer) this.#nextOfPeer = stream + 4;
    const call = calls.accept(stream);
    if (phase === "open") return call;
    this.#endings.refuse(call);
    return undefined;
  }
}
