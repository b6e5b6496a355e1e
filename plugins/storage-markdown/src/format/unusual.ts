/** Thrown inside, caught inside: the text has something that only the full parser understands. */
export class Unusual extends Error {}
/** One for all: making an error costs more than reading a short document. */
const UNUSUAL = new Unusual("not in the common dialect");

export function unusual(): never {
  throw UNUSUAL;
}
