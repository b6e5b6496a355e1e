import { lookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Endpoint } from "../engine/engine.ts";

const ADDRESS = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/;

/**
 * Reads `host:port` or `[v6]:port` and finds the host's numeric address. `localhost` and an empty host are the IPv4 loopback.
 * @throws {HubError} `INVALID_ARGUMENT` for what is no address, `UNAVAILABLE` for a name that cannot be resolved
 */
export async function resolveAddress(address: string): Promise<Endpoint> {
  const match = ADDRESS.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new HubError(ErrorCode.InvalidArgument, `"${address}" is no address: write host:port or [ipv6]:port`);
  }
  const name = match[1] ?? match[2] ?? "";
  if (name === "" || name === "localhost") return { host: "127.0.0.1", port };
  if (isIP(name)) return { host: name, port };
  try {
    return { host: (await lookup(name)).address, port };
  } catch (cause) {
    throw new HubError(ErrorCode.Unavailable, `Cannot resolve "${name}" of "${address}"`, { cause });
  }
}

export function formatAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
