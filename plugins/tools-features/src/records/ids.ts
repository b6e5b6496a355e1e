const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Three letters are 17 576 ids; each further letter multiplies them by 26. */
const FIRST_WIDTH = 3;
const LAST_WIDTH = 12;

/**
 * How often a width is tried before the next one. In a space that is half full, eight misses in a row happen once in
 * 256 creations, so ids stay short while there is room and grow when there is none.
 */
const DRAWS_PER_WIDTH = 8;

/**
 * Ids to try in turn, `FEAT-QXZ` first: the caller takes the first one that it can create.
 * @param random an integer from 0 up to, not including, its argument
 */
export function* idCandidates(prefix: string, random: (limit: number) => number): Generator<string, undefined> {
  for (let width = FIRST_WIDTH; width <= LAST_WIDTH; width++) {
    for (let draw = 0; draw < DRAWS_PER_WIDTH; draw++) {
      yield `${prefix}-${Array.from({ length: width }, () => LETTERS[random(LETTERS.length)]).join("")}`;
    }
  }
  return undefined;
}
