import { StructWriter } from "./struct-writer.ts";

/** A writer that grew beyond this is not kept for the next use. */
const KEPT_BYTES = 1024 * 1024;

/** Between two uses it holds nothing that matters; undefined while it is in use, and a nested use then makes its own. */
let spare: StructWriter | undefined;

/** Runs `use` with an empty writer, whose bytes are gone afterwards: `use` has to copy what it wants to keep. */
export function withWriter<T>(use: (writer: StructWriter) => T): T {
  const writer = spare ?? new StructWriter();
  spare = undefined;
  try {
    return use(writer);
  } finally {
    writer.at = 0;
    writer.path.length = 0;
    if (writer.bytes.length <= KEPT_BYTES) spare = writer;
  }
}
