import { ToolError } from "@orchestrator/runtime";

/** Letters and digits of any script, and `_ - .` and space inside: one path segment on every file system. */
const SEGMENT = /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_. -]*[\p{L}\p{M}\p{N}_-])?$/u;
const MAX_SEGMENT_BYTES = 200;
/** What nearly all of them are; the table behind the letters of all scripts is large, and need not be looked at for these. */
const PLAIN_SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/;

/** Where records live, relative to the root of the storage. */
export const paths = {
  project: (slug: string) => `${slug}/project.json`,
  features: (slug: string) => `${slug}/features`,
  feature: (slug: string, id: string) => `${slug}/features/${id}.md`,
  person: (slug: string, id: string) => `${slug}/persons/${id}.md`,
  assignmentRules: (slug: string) => `${slug}/assignment-rules`,
  wipLimit: (slug: string) => `${slug}/wip.json`,
  locks: (slug: string) => `${slug}/locks.json`,
} as const;

/**
 * An id becomes part of a path, so it may not lead anywhere else.
 * @throws {ToolError} `validation_error`
 */
export function requireSegment(value: string, argument: string): string {
  if (PLAIN_SEGMENT.test(value)) return value;
  const safe = SEGMENT.test(value) && !value.includes("..") && Buffer.byteLength(value) <= MAX_SEGMENT_BYTES;
  if (!safe) throw new ToolError("validation_error", `Argument "${argument}" is not an id: ${JSON.stringify(value)}`);
  return value;
}

/** `my-app/features/FEAT-ABC.md` → `FEAT-ABC`: the name of the file is the id, whatever its front matter says. */
export function idOfPath(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.[^.]*$/, "");
}
