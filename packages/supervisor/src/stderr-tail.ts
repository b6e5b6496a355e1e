/** How much of a plugin's stderr goes into the error that explains why it could not start. */
export const STDERR_TAIL_BYTES = 32 * 1024;

/** A line longer than this is cut into pieces, so that a plugin without line breaks cannot make the hub hold its output. */
export const MAX_LINE_BYTES = 64 * 1024;

/** Cuts a byte stream into lines. Memory is bounded by MAX_LINE_BYTES whatever the peer writes. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #pieces: Buffer[] = [];
  #held = 0;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    while (start < chunk.length) {
      const end = chunk.indexOf(10, start);
      const stop = end === -1 ? chunk.length : end;
      const room = MAX_LINE_BYTES - this.#held;
      if (stop - start > room) {
        this.#hold(chunk.subarray(start, start + room));
        this.#emit();
        start += room;
        continue;
      }
      this.#hold(chunk.subarray(start, stop));
      if (end === -1) return;
      this.#emit();
      start = end + 1;
    }
  }

  /** Delivers what is left when the stream ends without a line break. */
  end(): void {
    if (this.#held > 0) this.#emit();
  }

  #hold(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#held += piece.length;
  }

  #emit(): void {
    const bytes = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#held = 0;
    const line = bytes.toString("utf8");
    this.#onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
  }
}

/** Keeps the last lines, up to STDERR_TAIL_BYTES of text. */
export class StderrTail {
  #lines: string[] = [];
  #size = 0;

  push(line: string): void {
    const kept = line.length > STDERR_TAIL_BYTES ? line.slice(-STDERR_TAIL_BYTES) : line;
    this.#lines.push(kept);
    this.#size += kept.length + 1;
    // Not with each line: of short ones there are many, and each time all of them move.
    if (this.#size > 2 * STDERR_TAIL_BYTES) this.#trim();
  }

  /** The last lines, oldest first. */
  lines(count = Number.POSITIVE_INFINITY): string[] {
    this.#trim();
    return count >= this.#lines.length ? [...this.#lines] : this.#lines.slice(-count);
  }

  #trim(): void {
    let drop = 0;
    while (this.#size > STDERR_TAIL_BYTES && drop < this.#lines.length - 1) {
      this.#size -= this.#lines[drop]!.length + 1;
      drop += 1;
    }
    if (drop > 0) this.#lines.splice(0, drop);
  }
}
