import { varintSize } from "../envelope/wire.ts";
import { textFieldSize, textSize, writeTextField, writeUtf8, writeVarint } from "../envelope/write.ts";
import { ErrorCode, HubError } from "../errors.ts";
import { MAX_FRAME_BYTES } from "../frame.ts";
import { platform } from "../platform.ts";
import { Tag } from "./json.ts";

const FIRST_BYTES = 16 * 1024;

/** Longer texts are written by the host's encoder, which costs the same for 1 byte and 60. */
const SHORT_TEXT_BYTES = 48;

/** Up to here, a text that might take three bytes for each character is given room for that, and needs one pass only. */
const ROOMY_TEXT_BYTES = 16 * 1024;

/** Tags and lengths around a value, at most. */
const HEAD_BYTES = 24;

const utf8 = new platform.TextEncoder();

/**
 * Where a Struct grows, whose size is not known before it is written. A member is an entry of an object, or an item of a list
 * where its key is undefined.
 */
export class StructWriter {
  bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  #view: DataView = new DataView(this.bytes.buffer);
  /** Where the next byte goes. */
  at = 0;
  /** Keys and indexes that lead to the member being written; what lies beyond its depth is stale. */
  readonly path: (string | number)[] = [];

  null(key: string | undefined): void {
    this.#varint(key, Tag.Null, 0);
  }

  bool(key: string | undefined, value: boolean): void {
    this.#varint(key, Tag.Bool, value ? 1 : 0);
  }

  number(key: string | undefined, value: number): void {
    const at = this.#head(key, 9);
    this.bytes[at] = Tag.Number;
    this.#view.setFloat64(at + 1, value, true);
    this.at = at + 9;
  }

  text(key: string | undefined, text: string): void {
    // Texts are ASCII nearly always: guessing so saves a pass over them, and the writing checks the guess.
    const guess = text.length;
    const at = this.#textHead(key, guess);
    if (guess > SHORT_TEXT_BYTES) {
      this.#longText(key, text, at);
      return;
    }
    const { bytes } = this;
    let all = 0;
    for (let i = 0; i < guess; i++) {
      const code = text.charCodeAt(i);
      all |= code;
      bytes[at + i] = code;
    }
    this.at = all < 0x80 ? at + guess : writeUtf8(this.bytes, this.#textHead(key, textSize(text)), text);
  }

  /** @param at where the text goes if it is ASCII */
  #longText(key: string | undefined, text: string, at: number): void {
    const { length } = text;
    const room = length <= ROOMY_TEXT_BYTES ? 3 * length : length;
    this.reserve(at - this.at + room);
    const { read, written } = utf8.encodeInto(text, this.bytes.subarray(at, at + room));
    if (read < length) {
      const size = textSize(text);
      const moved = this.#textHead(key, size);
      utf8.encodeInto(text, this.bytes.subarray(moved, moved + size));
      this.at = moved + size;
      return;
    }
    if (written > length) {
      const moved = this.at + memberSize(key, 1 + varintSize(written) + written) - written;
      this.reserve(moved - this.at + written);
      this.bytes.copyWithin(moved, at, at + written);
      at = this.#textHead(key, written);
    }
    this.at = at + written;
  }

  /** Writes the head of an object or list, whose size is not known yet. @returns where its payload starts */
  open(key: string | undefined, tag: number): number {
    const at = this.#head(key, 2);
    this.bytes[at] = tag;
    this.at = at + 2;
    return this.at;
  }

  /** Puts the sizes into the head of what was opened at `start`; a payload of more than some 100 bytes moves for that. */
  close(start: number, payloadStart: number, key: string | undefined): void {
    const { bytes } = this;
    const size = this.at - payloadStart;
    // Of an entry without its tag and length; of an item it is no more than what is compared with.
    const whole = this.at - start - 2;
    if (whole < 0x80) {
      if (key !== undefined) bytes[start + 1] = whole;
      bytes[payloadStart - 3] = size + 2;
      bytes[payloadStart - 1] = size;
      return;
    }
    const tag = bytes[payloadStart - 2]!;
    const valueSize = 1 + varintSize(size) + size;
    const moved = start + memberSize(key, valueSize) - size;
    this.reserve(HEAD_BYTES);
    this.bytes.copyWithin(moved, payloadStart, this.at);
    this.at = start;
    const at = this.#head(key, valueSize);
    this.bytes[at] = tag;
    this.at = writeVarint(this.bytes, at + 1, size) + size;
  }

  /** Makes sure that `size` more bytes fit. @throws {HubError} `FRAME_TOO_LARGE` */
  reserve(size: number): void {
    if (this.at + size > this.bytes.length) this.#grow(this.at + size);
  }

  #varint(key: string | undefined, tag: number, value: number): void {
    const at = this.#head(key, 2);
    this.bytes[at] = tag;
    this.bytes[at + 1] = value;
    this.at = at + 2;
  }

  #textHead(key: string | undefined, size: number): number {
    const at = this.#head(key, 1 + varintSize(size) + size);
    this.bytes[at] = Tag.Text;
    return writeVarint(this.bytes, at + 1, size);
  }

  /** Writes what comes before a value of `valueSize` bytes; the value itself has room. @returns where it goes */
  #head(key: string | undefined, valueSize: number): number {
    const length = key === undefined ? 0 : key.length;
    this.reserve(HEAD_BYTES + length + valueSize);
    if (length === 0 || length + valueSize > 0x7f - 4) return this.#longHead(key, valueSize);
    const { bytes, at } = this;
    bytes[at] = Tag.Entry;
    bytes[at + 1] = length + valueSize + 4;
    bytes[at + 2] = Tag.EntryKey;
    bytes[at + 3] = length;
    let all = 0;
    for (let i = 0; i < length; i++) {
      const code = key!.charCodeAt(i);
      all |= code;
      bytes[at + 4 + i] = code;
    }
    if (all > 0x7f) return this.#longHead(key, valueSize);
    bytes[at + length + 4] = Tag.EntryValue;
    bytes[at + length + 5] = valueSize;
    return at + length + 6;
  }

  /** The same for whatever key and size. */
  #longHead(key: string | undefined, valueSize: number): number {
    let { at } = this;
    if (key === undefined) {
      this.bytes[at] = Tag.Entry;
      return writeVarint(this.bytes, at + 1, valueSize);
    }
    const keySize = textSize(key);
    this.reserve(HEAD_BYTES + keySize + valueSize);
    const { bytes } = this;
    bytes[at] = Tag.Entry;
    at = writeVarint(bytes, at + 1, entrySize(keySize, valueSize));
    at = writeTextField(bytes, at, Tag.EntryKey, key, keySize);
    bytes[at] = Tag.EntryValue;
    return writeVarint(bytes, at + 1, valueSize);
  }

  #grow(needed: number): void {
    // A message that cannot travel need not be finished. Twice a frame, since what is set aside is more than what is used.
    if (needed > 2 * MAX_FRAME_BYTES) throw tooLarge();
    const bytes = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

export function tooLarge(): HubError {
  return new HubError(ErrorCode.FrameTooLarge, `Cannot write Struct: it is longer than ${MAX_FRAME_BYTES} bytes`);
}

/** Bytes of an entry of a map without its tag and length. */
function entrySize(keySize: number, valueSize: number): number {
  return textFieldSize(Tag.EntryKey, keySize) + 1 + varintSize(valueSize) + valueSize;
}

/** Bytes of a whole member. */
function memberSize(key: string | undefined, valueSize: number): number {
  const size = key === undefined ? valueSize : entrySize(textSize(key), valueSize);
  return 1 + varintSize(size) + size;
}
