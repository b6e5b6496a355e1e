import { createHash } from "node:crypto";

/** Longer names are cut, so that the slug fits a directory name on every file system. */
const MAX_SLUG_LENGTH = 80;

/** Eight characters of base 32 are 40 bits: enough that two names never meet by chance. */
const DIGEST_LENGTH = 8;
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** What may go without a trace: space and punctuation of any script. */
const SEPARATORS = /[\s\p{Z}\p{P}]+/gu;

/**
 * Turns a project name into its slug: lower case, runs of anything but a–z and 0–9 become one dash.
 *
 * A name that loses more than separators on the way (another script, accents, emoji), that has no letter at all, or
 * that is too long, carries a digest of the whole name behind what is left: `Проект 1` → `1-…`, `設計` → `p-…`. So a
 * slug is never empty, always plain ASCII (safe in paths and in other programs), always the same for the same name,
 * and two names that differ only in what plain ASCII cannot show never share one.
 */
export function slugOf(name: string): string {
  // Composed form first: the same visible name must not have two slugs because two keyboards encode it differently.
  const lower = name.normalize("NFC").toLowerCase().trim();
  const plain = dashed(lower);
  const faithful = plain !== "" && /^\p{ASCII}*$/u.test(lower.replace(SEPARATORS, ""));
  if (faithful && plain.length <= MAX_SLUG_LENGTH) return plain;
  const kept = dashed(plain.slice(0, MAX_SLUG_LENGTH - DIGEST_LENGTH - 1));
  return `${kept === "" ? "p" : kept}-${digest(lower)}`;
}

function dashed(text: string): string {
  return text.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

function digest(text: string): string {
  const bytes = createHash("sha256").update(text).digest();
  return Array.from({ length: DIGEST_LENGTH }, (_, index) => ALPHABET[bytes[index]! & 31]).join("");
}
