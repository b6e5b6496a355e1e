/** How much one source may write. */
export interface FloodLimits {
  /** Lines and characters that may come at once, after a time of quiet. */
  readonly burstLines: number;
  readonly burstLength: number;
  /** Lines and characters per second that may come for ever. */
  readonly linesPerSecond: number;
  readonly lengthPerSecond: number;
}

/** A source that is remembered costs some hundred bytes; whoever writes under ever new names gets no more than this. */
const MAX_SOURCES = 1_024;

interface Source {
  lines: number;
  length: number;
  atMs: number;
  suppressed: number;
}

/** Decides for each source by itself whether one more line of it is let through, and counts what is not. */
export class FloodGate {
  readonly #limits: FloodLimits;
  readonly #sources = new Map<string, Source>();

  constructor(limits: FloodLimits) {
    this.#limits = limits;
  }

  /** @param nowMs from any clock that does not go back */
  admits(name: string, length: number, nowMs: number): boolean {
    const { burstLines, burstLength, linesPerSecond, lengthPerSecond } = this.#limits;
    const source = this.#sources.get(name) ?? this.#add(name, nowMs);
    const seconds = Math.max(0, nowMs - source.atMs) / 1_000;
    source.atMs = nowMs;
    source.lines = Math.min(burstLines, source.lines + seconds * linesPerSecond);
    source.length = Math.min(burstLength, source.length + seconds * lengthPerSecond);
    // A line may take the balance below zero, so the longest one passes too.
    if (source.lines < 1 || source.length <= 0) {
      source.suppressed += 1;
      return false;
    }
    source.lines -= 1;
    source.length -= length;
    return true;
  }

  /** One more line of a source that it has admitted lines of is not let through, whatever the source may write. */
  refuse(name: string): void {
    const source = this.#sources.get(name);
    if (source !== undefined) source.suppressed += 1;
  }

  /** How many lines of a source were not let through since it was asked last; it is asked for with this. */
  takeSuppressed(name: string): number {
    const source = this.#sources.get(name);
    if (source === undefined) return 0;
    const count = source.suppressed;
    source.suppressed = 0;
    return count;
  }

  #add(name: string, nowMs: number): Source {
    if (this.#sources.size >= MAX_SOURCES) {
      // The one that has been known longest and has nothing left to tell, else simply the first.
      let oldest: string | undefined;
      for (const [known, { suppressed }] of this.#sources) {
        oldest ??= known;
        if (suppressed > 0) continue;
        oldest = known;
        break;
      }
      this.#sources.delete(oldest!);
    }
    const { burstLines, burstLength } = this.#limits;
    const source: Source = { lines: burstLines, length: burstLength, atMs: nowMs, suppressed: 0 };
    this.#sources.set(name, source);
    return source;
  }
}
