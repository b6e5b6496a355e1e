/** Bounds on what is read and written, so that one document can neither stall the plugin nor fill its memory. */
export const MAX_FRONT_MATTER_BYTES = 1024 * 1024;
/** Of YAML outside the common dialect: the library needs up to 2 KiB of memory and 8 µs for a byte of hostile text. */
export const MAX_UNCOMMON_UNITS = 128 * 1024;
/** Maps and lists inside each other, when reading. */
export const MAX_DEPTH = 100;
/** The same when writing: what is deeper could not be sent to a reader, as protobuf decoders stop at 100 messages. */
export const MAX_WRITTEN_DEPTH = 30;
/** Values after aliases are expanded; a front matter of the largest size without aliases holds fewer. */
export const MAX_VALUES = 600_000;
/** UTF-16 units of text after aliases are expanded: what fits one frame. */
export const MAX_TEXT_UNITS = 16 * 1024 * 1024;
