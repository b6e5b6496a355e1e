import { Buffer } from "node:buffer";
import { ErrorCode, HubError } from "@orchestrator/protocol";

/** The suffix of the file that holds a document's version; names that end in it are never documents. */
export const VERSION_SUFFIX = ".version";
/** How names of files that are not documents begin. They end in `.version`, so that every program skips them in lists. */
export const OWN_PREFIX = ".orchestra-";

const MAX_PATH_BYTES = 4096;
const MAX_NAME_BYTES = 255;

/**
 * Cleans a path: one `/` between names, no `.`, `..` taken away with the name before it. A leading slash means nothing.
 * @returns names without slashes; none for the root itself
 * @throws {HubError} `INVALID_ARGUMENT` for an empty path, one over 4096 bytes, one with NUL, or one that leaves the root
 */
export function splitPath(path: string): string[] {
  if (path === "") throw refused("path is empty");
  const bytes = byteLength(path, MAX_PATH_BYTES);
  if (bytes > MAX_PATH_BYTES) throw refused(`path is ${bytes} bytes, ${MAX_PATH_BYTES} at most`);
  if (path.includes("\0")) throw refused("path contains a NUL character");
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(checkName(name, MAX_NAME_BYTES));
    else if (names.length > 0) names.pop();
    // Above a leading slash there is nothing to climb to.
    else if (!path.startsWith("/")) throw refused(`"${path}" leaves the storage root`);
  }
  return names;
}

/**
 * Splits the path of a document.
 * @throws {HubError} also for the root, and for names that the storage uses itself, or that leave no room for ".version"
 */
export function splitDocumentPath(path: string): string[] {
  const names = splitPath(path);
  const name = names.at(-1);
  if (name === undefined) throw refused(`"${path}" is the storage root, not a file`);
  if (name.startsWith(OWN_PREFIX)) throw refused(`"${path}": names beginning with ${OWN_PREFIX} are the storage's own`);
  if (name.endsWith(VERSION_SUFFIX)) throw refused(`"${path}": names ending in ${VERSION_SUFFIX} hold versions`);
  checkName(name, MAX_NAME_BYTES - VERSION_SUFFIX.length);
  return names;
}

/** Neither a version file nor one of the storage's own. */
export function isDocumentName(name: string): boolean {
  return !name.endsWith(VERSION_SUFFIX) && !name.startsWith(OWN_PREFIX);
}

/** In UTF-8; no more than an upper bound where that is within the limit. */
function byteLength(text: string, limit: number): number {
  const most = 3 * text.length;
  return most <= limit ? most : Buffer.byteLength(text);
}

function checkName(name: string, maxBytes: number): string {
  const bytes = byteLength(name, maxBytes);
  if (bytes > maxBytes) {
    const reserve = maxBytes < MAX_NAME_BYTES ? " (its version file needs the rest)" : "";
    throw refused(`the name "${name.slice(0, 32)}…" is ${bytes} bytes, ${maxBytes} at most${reserve}`);
  }
  // There a backslash separates, and a colon names a drive or a hidden stream of a file.
  if (process.platform === "win32" && /[\\:]/.test(name))
    throw refused(`"${name}" has a character that Windows reserves`);
  return name;
}

function refused(reason: string): HubError {
  return new HubError(ErrorCode.InvalidArgument, `resolve path: ${reason}`);
}
