/** What comes out of a byte stream that is cut at line breaks. */
export interface LineHandler {
  /** One line, without its break. Never empty. */
  line(text: string): void;
  /** A line that cannot be handed over; reading goes on at the next one. */
  unreadable(reason: string): void;
}

const NEWLINE = 0x0a;
const decoder = () => new TextDecoder("utf-8", { fatal: true });

/**
 * Cuts bytes into lines of UTF-8. A carriage return before the break, a byte order mark and blank lines are tolerated. A line
 * over the limit is reported once and thrown away as it arrives, so it costs no memory, and the next line is read as usual.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #handler: LineHandler;
  /** Ignores a byte order mark at the start of what it decodes. */
  readonly #decoder = decoder();
  #parts: Uint8Array[] = [];
  #length = 0;
  #skipping = false;

  constructor(maxBytes: number, handler: LineHandler) {
    this.#maxBytes = maxBytes;
    this.#handler = handler;
  }

  write(chunk: Uint8Array): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#add(chunk.subarray(start, end));
      this.#finish();
      start = end + 1;
    }
    if (start < chunk.length) this.#add(chunk.subarray(start));
  }

  /** The stream is over; a last line may come without a break. */
  end(): void {
    this.#finish();
  }

  #add(part: Uint8Array): void {
    if (this.#skipping) return;
    this.#length += part.length;
    if (this.#length > this.#maxBytes) {
      this.#skipping = true;
      this.#parts = [];
      this.#handler.unreadable(`The line is longer than ${this.#maxBytes} bytes`);
    } else {
      this.#parts.push(part);
    }
  }

  #finish(): void {
    const parts = this.#parts;
    const skipped = this.#skipping;
    const length = this.#length;
    this.#parts = [];
    this.#skipping = false;
    this.#length = 0;
    if (skipped || length === 0) return;
    let text: string;
    try {
      text = this.#decoder.decode(parts.length === 1 ? parts[0] : join(parts, length));
    } catch {
      this.#handler.unreadable("The line is not UTF-8");
      return;
    }
    if (text.trim() !== "") this.#handler.line(text);
  }
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
