/** What a `google.protobuf.Struct` holds: JSON, with numbers that are doubles. NaN, the infinities and minus zero are kept. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/**
 * How deep objects and lists may nest in a Struct, the outermost included. Protobuf libraries count nested messages instead and
 * stop at 100 of them. A level takes up to three messages, so their limit is reached at 32 objects, and real documents do
 * get there; 100 levels leave them room, and a reader that goes down 100 times is far from the end of any host's stack.
 * Whoever writes for peers with the customary limit has to stay within 30 levels.
 */
export const MAX_STRUCT_DEPTH = 100;

/** Tags of the four messages that a Struct is made of. */
export const Tag = {
  /** Struct.fields, one entry of the map; also ListValue.values. */
  Entry: 10,
  /** Struct.FieldsEntry. */
  EntryKey: 10,
  EntryValue: 18,
  /** Value.kind. */
  Null: 8,
  Number: 17,
  Text: 26,
  Bool: 32,
  Struct: 42,
  List: 50,
} as const;
