import { ErrorCode, HubError } from "@orchestrator/protocol";

/** Where a socket listens or connects. */
export type SocketAddress =
  | { readonly carrier: "unix"; readonly path: string }
  | { readonly carrier: "tls"; readonly host: string; readonly port: number };

/**
 * Reads `unix:/path` (on Windows the name of a pipe) or `tls:host:port`.
 * @throws {HubError} `INVALID_ARGUMENT`
 */
export function parseSocketAddress(address: string): SocketAddress {
  if (address.startsWith("unix:")) {
    const path = address.slice("unix:".length);
    if (path === "") throw notAnAddress(address);
    // The system cuts longer paths off or refuses them with a riddle.
    const limit = process.platform === "win32" ? 255 : process.platform === "linux" ? 107 : 103;
    if (Buffer.byteLength(path) > limit) {
      const what = `Socket path "${path}" has ${Buffer.byteLength(path)} bytes; the system allows ${limit}`;
      throw new HubError(ErrorCode.InvalidArgument, what);
    }
    return { carrier: "unix", path };
  }
  const match = /^tls:(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw notAnAddress(address);
  return { carrier: "tls", host: match[1] ?? match[2]!, port };
}

function notAnAddress(address: string): HubError {
  return new HubError(ErrorCode.InvalidArgument, `"${address}" is neither unix:/path nor tls:host:port`);
}
