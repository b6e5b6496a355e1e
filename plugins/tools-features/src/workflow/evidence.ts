/** Reads evidence: Markdown in which a model or a person says what was done, and in which files. */

const SECTION_HEADING = /^##[ \t]+(.*\S)$/;
const PATH_RUN = /[\w./-]+/g;
const EXTENSION = /\.\w{1,10}$/;
const MAY_PRECEDE = /[\s`*]/;
const MAY_FOLLOW = /[\s,:;()\]`]/;

/**
 * The trimmed text below `## <name>`, up to the next heading of that level. Names are compared without case; of two
 * sections with one name the last counts.
 */
export function sectionOf(evidence: string, name: string): string | undefined {
  let found: string[] | undefined;
  let inside = false;
  for (const line of evidence.split("\n")) {
    const heading = SECTION_HEADING.exec(line.trim())?.[1];
    if (heading !== undefined) inside = heading.toLowerCase() === name.toLowerCase();
    if (heading !== undefined && inside) found = [];
    else if (inside) found?.push(line);
  }
  return found?.join("\n").trim();
}

/**
 * The distinct file paths in a text, in order. A path starts with a word character or a dot, goes on with those, `/`
 * and `-`, and ends in an extension of 1 to 10 word characters. It stands at the start, after white space, a backtick,
 * `-` or `*`, and before the end, white space, a backtick or one of `, : ; ( ) ]`.
 *
 * One pass over each run of path characters rather than one regular expression for all of it: evidence comes from
 * outside, and a search that starts again at every dash takes quadratic time on a text made of dashes.
 */
export function filePathsIn(text: string): readonly string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(PATH_RUN)) {
    const run = match[0];
    const following = text[match.index + run.length];
    if (following !== undefined && !MAY_FOLLOW.test(following)) continue;
    const start = startOfPath(run, text[match.index - 1]);
    const extension = EXTENSION.exec(run.slice(-11));
    if (start < 0 || extension === null) continue;
    const dot = run.length - extension[0].length;
    if (dot > start) found.add(run.slice(start));
  }
  return [...found];
}

/** The first place in a run where a path may begin: its start, or behind one of its dashes. */
function startOfPath(run: string, preceding: string | undefined): number {
  const opens = preceding === undefined || MAY_PRECEDE.test(preceding);
  for (let index = 0; index < run.length; index++) {
    const mayBegin = index === 0 ? opens : run[index - 1] === "-";
    if (mayBegin && run[index] !== "/" && run[index] !== "-") return index;
  }
  return -1;
}
