import { ErrorCode, HubError } from "@orchestrator/protocol";

/** A path cut where a route ends. */
export interface MatchedPath {
  /** "/hello" */
  readonly route: string;
  /** What the plugin gets: starts with "/", with the query string. */
  readonly path: string;
}

/**
 * The longest of the routes that a path begins with, segment by segment: "/a" has "/a" and "/a/b", and not "/ab".
 * @param path with its query string, as it stands in a request
 * @returns undefined where no route fits
 * @throws {HubError} `INVALID_ARGUMENT` for a path that does not start with "/", or climbs with "." or ".."
 */
export function matchRoute(routes: Iterable<string>, path: string): MatchedPath | undefined {
  const at = path.search(/[?#]/);
  const plain = at === -1 ? path : path.slice(0, at);
  const query = at !== -1 && path[at] === "?" ? path.slice(at).split("#", 1)[0]! : "";
  if (!plain.startsWith("/"))
    throw new HubError(ErrorCode.InvalidArgument, `The path "${path}" does not start with "/"`);
  // Also where the dots are written as %2e: what a plugin decodes later must not lead anywhere else.
  if (/(?:^|[/\\])(?:\.|%2e){1,2}(?:$|[/\\])/i.test(plain)) {
    throw new HubError(ErrorCode.InvalidArgument, `The path "${path}" has a segment "." or ".."`);
  }
  let longest: string | undefined;
  for (const route of routes) {
    if (plain !== route && !plain.startsWith(`${route}/`)) continue;
    if (longest === undefined || route.length > longest.length) longest = route;
  }
  if (longest === undefined) return undefined;
  return { route: longest, path: `${plain.slice(longest.length) || "/"}${query}` };
}
