import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";

/** Where Orchestra programs keep their certificates unless told otherwise: `~/.orchestra/certs`. */
export function defaultCertsDir(): string {
  return join(homedir(), ".orchestra", "certs");
}

/** Replaces a leading `~` by the home directory and makes the path absolute. `~user` is not expanded: it is a plain name. */
export function expandHome(path: string): string {
  if (path === "~") return homedir();
  if (path.startsWith("~/")) return join(homedir(), path.slice(2));
  return resolve(path);
}

/** Long enough for `orchestrator-to-<id>`; the file name with its ending stays far below the 255 bytes of file systems. */
const MAX_NAME_LENGTH = 128;
/** Leaves room for the `-client` and `orchestrator-to-` around it. */
const MAX_ID_LENGTH = 64;

/**
 * A name becomes a file name, a common name and a DNS name, so only what is harmless in all three passes: ASCII letters,
 * digits and `. _ - @ +`, starting with a letter or digit.
 */
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]*$/;

/**
 * Names that mean more than "some plugin": whoever holds such a certificate is the hub, the operator or a gateway. A plugin
 * states its own id, so it must not be able to state one of these. A plugin `x-client` would share a name with the client of
 * plugin `x`.
 */
const RESERVED_ID =
  /^(?:orchestrator(?:-.*)?|orchestra-host(?:-.*)?|transport\.(?:stdio|quic-bridge|webtransport)|ca|.*-client)$/i;

/**
 * Checks the name of a leaf certificate.
 * @throws {HubError} `INVALID_ARGUMENT` for a name that could leave the directory or overwrite the authority
 */
export function checkLeafName(name: string): string {
  checkSafe("certificate name", name, MAX_NAME_LENGTH);
  // "ca.crt" and "ca.key" are the authority's own; some file systems ignore case.
  if (name.toLowerCase() === "ca") {
    throw new HubError(
      ErrorCode.InvalidArgument,
      'Cannot use certificate name "ca": it is that of the authority itself',
    );
  }
  return name;
}

/**
 * Checks the id of a plugin that is about to get certificates.
 * @throws {HubError} `INVALID_ARGUMENT` for an id that could leave the directory, or that would make it somebody else
 */
export function checkPluginId(id: string): string {
  checkSafe("plugin id", id, MAX_ID_LENGTH);
  if (RESERVED_ID.test(id)) {
    throw new HubError(
      ErrorCode.InvalidArgument,
      `Cannot use plugin id "${id}": "orchestrator…", "orchestra-host…", "…-client", "transport.stdio", ` +
        '"transport.quic-bridge", "transport.webtransport" and "ca" are kept for the hub, its operator and gateways; ' +
        "give the plugin another id",
    );
  }
  return id;
}

/** Whether a plugin may have certificates under this id. */
export function isPluginId(id: string): boolean {
  return id.length <= MAX_ID_LENGTH && SAFE_NAME.test(id) && !RESERVED_ID.test(id);
}

function checkSafe(what: string, name: string, maxLength: number): void {
  if (name.length === 0 || name.length > maxLength || !SAFE_NAME.test(name)) {
    throw new HubError(
      ErrorCode.InvalidArgument,
      `Cannot use ${what} ${JSON.stringify(name.slice(0, 200))}: it must be 1 to ${maxLength} of A-Z a-z 0-9 . _ - @ +, ` +
        "and start with a letter or digit",
    );
  }
}
