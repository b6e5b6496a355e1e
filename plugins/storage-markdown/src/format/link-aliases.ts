import { type Alias, isAlias, isMap, isPair, isSeq, type Node } from "yaml";
import { MAX_DEPTH } from "./limits.ts";
import { FrontMatterError } from "./yaml-error.ts";

/** What each alias stands for. */
export type Links = ReadonlyMap<unknown, Node>;

/**
 * Finds the node of every alias: the last one before it with that anchor, as a name may be given anew further down.
 * @throws {FrontMatterError} for an alias without an anchor before it
 */
export function linkAliases(root: Node): Links {
  const anchors = new Map<string, Node>();
  const links = new Map<unknown, Node>();
  visit(root, 0);
  return links;

  function visit(node: unknown, depth: number): void {
    // A pair and its key or value count as one level each here, hence the doubled bound.
    if (depth > 2 * MAX_DEPTH + 2) {
      throw new FrontMatterError(`front matter is nested deeper than ${MAX_DEPTH} levels`);
    }
    if (isAlias(node)) link(node);
    const anchor = isAlias(node) ? undefined : (node as { anchor?: string } | null)?.anchor;
    if (anchor) anchors.set(anchor, node as Node);
    if (isMap(node) || isSeq(node)) for (const item of node.items) visit(item, depth + 1);
    if (!isPair(node)) return;
    visit(node.key, depth + 1);
    visit(node.value, depth + 1);
  }

  function link(alias: Alias): void {
    const target = anchors.get(alias.source);
    if (target === undefined) throw new FrontMatterError(`unknown anchor ${JSON.stringify(alias.source)}`);
    links.set(alias, target);
  }
}
