/** Storage type `markdown`: documents as Markdown files with YAML front matter and compare-and-set versions. @module */
export { decodeDocument, encodeDocument, type MarkdownDocument } from "./format/document.ts";
export { emitYaml } from "./format/emit.ts";
export { parseYaml } from "./format/parse.ts";
export { FrontMatterError } from "./format/yaml-error.ts";
export { createStorageMarkdown } from "./plugin.ts";
export { MarkdownStore, ROOT_NAME, type StoreCall } from "./store/store.ts";
