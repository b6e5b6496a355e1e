import { Buffer } from "node:buffer";
import { ErrorCode, HubError } from "@orchestrator/protocol";

const MAX_PATTERN_BYTES = 256;
const DEFAULT_PATTERN = "*.md";

type Piece =
  | { readonly kind: "star" | "any" }
  | { readonly kind: "one"; readonly character: string }
  | { readonly kind: "class"; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] };

/**
 * Compiles a shell pattern for file names: `*`, `?`, `[a-z]`, `[^a-z]`, and `\` before a character that stands for itself.
 * @param pattern "" means `*.md`
 * @throws {HubError} `INVALID_ARGUMENT` for a malformed pattern or one over 256 bytes
 */
export function compileGlob(pattern: string): (name: string) => boolean {
  const bytes = Buffer.byteLength(pattern);
  if (bytes > MAX_PATTERN_BYTES) throw invalid(`${bytes} bytes, ${MAX_PATTERN_BYTES} at most`);
  const pieces = parse(pattern === "" ? DEFAULT_PATTERN : pattern);
  return (name) => matches(pieces, Array.from(name));
}

function parse(pattern: string): Piece[] {
  const characters = Array.from(pattern);
  const pieces: Piece[] = [];
  let at = 0;
  while (at < characters.length) {
    const character = characters[at] as string;
    if (character === "*") pieces.push({ kind: "star" });
    else if (character === "?") pieces.push({ kind: "any" });
    else if (character === "[") at = parseClass(characters, at, pieces);
    else if (character === "\\") {
      at++;
      pieces.push({ kind: "one", character: characters[at] ?? fail("it ends in a backslash") });
    } else pieces.push({ kind: "one", character });
    at++;
  }
  return pieces;
}

/** @returns the index of the closing bracket */
function parseClass(characters: readonly string[], open: number, pieces: Piece[]): number {
  let at = open + 1;
  const negated = characters[at] === "^";
  if (negated) at++;
  const ranges: [string, string][] = [];
  while (characters[at] !== "]" || ranges.length === 0) {
    const [low, afterLow] = classCharacter(characters, at);
    const isRange = characters[afterLow] === "-";
    const [high, next] = isRange ? classCharacter(characters, afterLow + 1) : [low, afterLow];
    ranges.push([low, high]);
    at = next;
  }
  pieces.push({ kind: "class", negated, ranges });
  return at;
}

function classCharacter(characters: readonly string[], at: number): [string, number] {
  const character = characters[at];
  if (character === undefined || character === "-" || character === "]") return fail("a [class] is not closed");
  if (character !== "\\") return [character, at + 1];
  return [characters[at + 1] ?? fail("a [class] is not closed"), at + 2];
}

/** Backs up to the last star only, so the time is at worst the product of both lengths. */
function matches(pieces: readonly Piece[], name: readonly string[]): boolean {
  let piece = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const current = pieces[piece];
    if (current?.kind === "star") {
      star = piece++;
      starAt = at;
    } else if (current !== undefined && accepts(current, name[at] as string)) {
      piece++;
      at++;
    } else if (star >= 0) {
      piece = star + 1;
      at = ++starAt;
    } else return false;
  }
  while (pieces[piece]?.kind === "star") piece++;
  return piece === pieces.length;
}

function accepts(piece: Piece, character: string): boolean {
  if (piece.kind === "one") return piece.character === character;
  if (piece.kind !== "class") return true;
  const code = character.codePointAt(0) as number;
  const inside = piece.ranges.some(([low, high]) => codeOf(low) <= code && code <= codeOf(high));
  return inside !== piece.negated;
}

function codeOf(character: string): number {
  return character.codePointAt(0) as number;
}

function fail(reason: string): never {
  throw invalid(reason);
}

function invalid(reason: string): HubError {
  return new HubError(ErrorCode.InvalidArgument, `Pattern is malformed: ${reason}`);
}
