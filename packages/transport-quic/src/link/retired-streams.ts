import { type EngineConnection, GONE } from "../engine/engine.ts";

/** How many streams are remembered: more than can be unacknowledged at once in practice. */
const REMEMBERED = 1024;

/** The streams that ended last. The engine forgets a stream when the peer has acknowledged all of it. */
export class RetiredStreams {
  readonly #ring = new Float64Array(REMEMBERED).fill(-1);
  #next = 0;

  add(stream: number): void {
    this.#ring[this.#next] = stream;
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  allForgotten(engine: EngineConnection): boolean {
    for (const [index, stream] of this.#ring.entries()) {
      if (stream < 0) continue;
      if (engine.capacity(stream) !== GONE) return false;
      this.#ring[index] = -1;
    }
    return true;
  }
}
