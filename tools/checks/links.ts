import { posix } from "node:path";
import { type Check, lineAt, type Repo, read } from "./repo.ts";

/** `[text](target)` and `![alt](target)`, and reference definitions `[name]: target`. */
const INLINE = /!?\[(?:[^\]\\]|\\.)*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const DEFINITION = /^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s+"[^"]*")?\s*$/gm;

/** Relative links in Markdown lead to a file or folder of the repository, and their anchors to a heading. */
export const checkLinks: Check = (repo) => {
  const known = new Set(repo.files.flatMap((file) => [file, ...parents(file)]));
  return repo.files
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => {
      const text = withoutCode(read(repo, file));
      const links = [INLINE, DEFINITION].flatMap((pattern) => [...text.matchAll(pattern)]);
      return links.flatMap((link) => {
        const problem = problemOf(repo, known, file, link[1]!);
        return problem === undefined ? [] : [`${file}:${lineAt(text, link.index)}: ${problem}`];
      });
    });
};

function problemOf(repo: Repo, known: ReadonlySet<string>, file: string, target: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [path, anchor] = target.split("#", 2) as [string, string | undefined];
  if (path.startsWith("/")) return `"${target}" is not relative`;
  const to =
    path === "" ? file : posix.normalize(posix.join(posix.dirname(file), decodeURIComponent(path))).replace(/\/$/, "");
  if (!known.has(to) && to !== ".") return `"${target}" leads nowhere`;
  if (anchor === undefined || !to.endsWith(".md")) return undefined;
  return anchorsOf(read(repo, to)).has(anchor.toLowerCase()) ? undefined : `"${target}": no heading has this anchor`;
}

/** Anchors as the usual hosts make them: lower case, punctuation out, spaces to dashes, -1, -2 … for repeats. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const counts = new Map<string, number>();
  const anchors = new Set<string>();
  for (const match of withoutFences(markdown).matchAll(/^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$/gm)) {
    const text = match[1]!.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*]/g, "");
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-");
    const seen = counts.get(slug) ?? 0;
    counts.set(slug, seen + 1);
    anchors.add(seen === 0 ? slug : `${slug}-${seen}`);
  }
  for (const match of markdown.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(match[1]!.toLowerCase());
  return anchors;
}

/** Blanks code out, so that offsets and lines stay. */
function withoutCode(text: string): string {
  return withoutFences(text).replace(/`[^`\n]*`/g, blank);
}

function withoutFences(text: string): string {
  return text.replace(/^( {0,3}|\s*[-*]\s+)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\s*\2[`~]*\s*$/gm, blank);
}

function blank(code: string): string {
  return code.replace(/[^\n]/g, " ");
}

function parents(file: string): string[] {
  const parts = file.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}
