import { ErrorCode, HubError } from "@orchestrator/protocol";

const SCHEME = "orchestra://";
const ENDING = ".md";
/** The storage refuses longer paths. */
const MAX_URI_LENGTH = 4096;
/** What RFC 3986 allows between two slashes. */
const SEGMENT = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+$/;

/** `app/features/FEAT-ABC.md` → `orchestra://app/features/FEAT-ABC`. */
export function toUri(path: string): string {
  return SCHEME + stem(path).split("/").map(encodeURIComponent).join("/");
}

/** The path without its ending. */
export function stem(path: string): string {
  return path.endsWith(ENDING) ? path.slice(0, -ENDING.length) : path;
}

/**
 * The path of the document that a URI names. Strict: what does not name exactly one place in the storage is refused.
 * @throws {HubError} `INVALID_ARGUMENT`
 */
export function toPath(uri: string): string {
  if (uri.length > MAX_URI_LENGTH) throw invalid(uri, `it is longer than ${MAX_URI_LENGTH} characters`);
  if (uri.slice(0, SCHEME.length).toLowerCase() !== SCHEME) throw invalid(uri, `it does not begin with "${SCHEME}"`);
  const segments = uri.slice(SCHEME.length).split("/");
  if (/[:@]/.test(segments[0] ?? "")) throw invalid(uri, "it must have neither user nor port");
  return segments.map((segment) => decode(uri, segment)).join("/") + ENDING;
}

function decode(uri: string, segment: string): string {
  if (segment === "") throw invalid(uri, "a part of it is empty");
  if (!SEGMENT.test(segment)) throw invalid(uri, `"${segment}" has characters that must be percent-encoded`);
  let name: string;
  try {
    name = decodeURIComponent(segment);
  } catch {
    throw invalid(uri, `"${segment}" does not decode`);
  }
  if (name === "." || name === ".." || /[\u0000-\u001f\u007f/\\]/.test(name)) {
    throw invalid(uri, `"${segment}" cannot be a name`);
  }
  return name;
}

function invalid(uri: string, why: string): HubError {
  const shown = uri.length > 200 ? `${uri.slice(0, 200)}…` : uri;
  return new HubError(ErrorCode.InvalidArgument, `Invalid resource URI "${shown}": ${why}`);
}
