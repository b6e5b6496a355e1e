import * as fc from "fast-check";

/** Any text that can be written as UTF-8. fast-check's own "binary" unit takes a second to get ready. */
export const anyText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff })), { maxLength: 20 })
  .map((points) => String.fromCodePoint(...points));
