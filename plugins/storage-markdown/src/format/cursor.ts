import { unusual } from "./unusual.ts";

/** Stands at the first character of what is left of a line. Blank lines and comment lines are passed over. */
export class Cursor {
  readonly text: string;
  /** Column of the next character, or -1 at the end. */
  indent = -1;
  /** Offset of the next character. */
  offset = 0;
  /** Offset of the line feed that ends this line. */
  end = -1;
  #lineStart = 0;

  constructor(text: string) {
    this.text = text;
    this.nextLine();
  }

  get done(): boolean {
    return this.indent < 0;
  }

  /** Offset of the line after this one. */
  get following(): number {
    return this.end + 1;
  }

  nextLine(from = this.end + 1): void {
    for (let start = from; start < this.text.length; start = this.end + 1) {
      this.end = this.text.indexOf("\n", start);
      this.offset = skipSpaces(this.text, start);
      const code = this.text.charCodeAt(this.offset);
      if (code === 0x09) unusual();
      if (code === 0x0a || code === 0x23) continue;
      this.#lineStart = start;
      this.indent = this.offset - start;
      return;
    }
    this.indent = -1;
  }

  /** Moves on in this line to `offset`, past any spaces. */
  moveTo(offset: number): void {
    this.offset = skipSpaces(this.text, offset);
    this.indent = this.offset - this.#lineStart;
  }

  /** Stands at this marker of a block: the character, then a space or the end of the line. */
  at(marker: number): boolean {
    if (this.done || this.text.charCodeAt(this.offset) !== marker) return false;
    const next = this.text.charCodeAt(this.offset + 1);
    return next === 0x20 || next === 0x0a;
  }
}

export function skipSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === 0x20) at++;
  return at;
}
