import { isTimestamp, resolvePlain } from "./resolve.ts";

/** How a string is written. `merge` is the plain `<<`, which the reference writer tags. */
export type ScalarStyle = "plain" | "single" | "double" | "literal" | "merge";

/** What a look at every character says about the styles that can hold a string. */
interface Analysis {
  readonly plain: boolean;
  readonly single: boolean;
  readonly block: boolean;
}

const ONLY_PLAIN_WORD = /^[A-Za-z_/][A-Za-z0-9_/.+-]*$/;
/** YAML 1.1 booleans and base 60 numbers: quoted for the sake of other readers. */
const OLD_BOOLEAN = /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const WHOLLY_INDICATOR = /^(?:[#,[\]{}&*!|>'"%@`]|---|\.\.\.|[?:-](?:[ \t]|$))|:(?:[ \t\n]|$)|[ \t\n]#/;
/** Printable for this writer: no controls but tab and line feed, no byte order mark, nothing past U+FFFF. */
const SPECIAL = /[^\t\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;

/** `hintFits`: a header with an indentation hint would be read back right. */
export function styleOfValue(text: string, hintFits: boolean): ScalarStyle {
  if (text.includes("\n")) return styleOfLines(text, hintFits);
  if (text === "<<") return "merge";
  return resolvesToText(text) ? quoteAsNeeded(text) : "double";
}

export function styleOfNestedKey(text: string, hintFits: boolean): ScalarStyle {
  // Mended: the reference writes `<<` in a way that reads back as a merge.
  return text === "<<" ? "double" : styleOfValue(text, hintFits);
}

/** Keys of the outermost map are not checked for another type by the reference: they are text whatever they look like. */
export function styleOfTopKey(text: string): ScalarStyle {
  if (text.includes("\n")) return styleOfLines(text, true);
  if (text === "") return "single";
  // Mended: a plain null or merge key would take its value with it when it is read back.
  if (text === "<<" || resolvePlain(text).tag === "null") return "double";
  return quoteAsNeeded(text);
}

function resolvesToText(text: string): boolean {
  if (OLD_BOOLEAN.test(text) || (text.includes(":") && BASE_60.test(text))) return false;
  return resolvePlain(text).tag === "str" && !isTimestamp(text);
}

function quoteAsNeeded(text: string): ScalarStyle {
  if (ONLY_PLAIN_WORD.test(text)) return "plain";
  const { plain, single } = analyse(text);
  return plain ? "plain" : single ? "single" : "double";
}

function styleOfLines(text: string, hintFits: boolean): ScalarStyle {
  if (!analyse(text).block) return "double";
  const first = text[0];
  // Mended: the reference loses a leading line break, and cannot read back a leading tab.
  if (first === "\n" || first === "\t") return "double";
  if (first === " " && !hintFits) return "double";
  return "literal";
}

function analyse(text: string): Analysis {
  // Mended: YAML 1.2 readers do not take these two for line breaks, so only an escape survives everywhere.
  const separator = /[\u2028\u2029]/.test(text);
  const special = SPECIAL.test(text) || separator;
  const spaceBreak = / \n/.test(text);
  const edge = /^[ \n]|[ \n]$/.test(text);
  const quotable = !special && !spaceBreak && !text.includes("\t") && !text.includes("\n");
  return {
    plain: quotable && !edge && !WHOLLY_INDICATOR.test(text),
    single: quotable,
    block: !special && !spaceBreak && !text.endsWith(" "),
  };
}
