import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Endpoint } from "../engine/engine.ts";
import { formatAddress } from "./address.ts";

/** Wide enough for bursts that arrive while JavaScript is busy; with the kernel's default even loopback loses packets. */
const BUFFER_BYTES = 8 * 1024 * 1024;

/** Binds a UDP socket. @throws {HubError} `ALREADY_EXISTS` for a port that is taken, `UNAVAILABLE` for the rest */
export async function bindUdp(at: Endpoint): Promise<Socket> {
  const family = isIPv6(at.host) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    recvBufferSize: BUFFER_BYTES,
    sendBufferSize: BUFFER_BYTES,
    // Addresses are numeric already; node would otherwise put each datagram through its resolver's queue.
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  return new Promise((resolve, reject) => {
    socket.once("error", (cause: NodeJS.ErrnoException) => {
      socket.close();
      reject(bindError(at, cause));
    });
    socket.bind({ port: at.port, address: at.host, exclusive: true }, () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

/** Fixes a socket's peer: it hears nobody else, and learns when nobody listens there. */
export function connectUdp(socket: Socket, to: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.connect(to.port, to.host, (...[cause]: [Error?]) => {
      if (cause === undefined || cause === null) resolve();
      else reject(new HubError(ErrorCode.Unavailable, `Cannot reach ${formatAddress(to.host, to.port)}`, { cause }));
    });
  });
}

function bindError(at: Endpoint, cause: NodeJS.ErrnoException): HubError {
  const where = formatAddress(at.host, at.port);
  switch (cause.code) {
    case "EADDRINUSE":
      return new HubError(ErrorCode.AlreadyExists, `Cannot listen on ${where}: the port is already in use`, { cause });
    case "EADDRNOTAVAIL":
      return new HubError(ErrorCode.Unavailable, `Cannot listen on ${where}: this machine has no such address`, {
        cause,
      });
    case "EACCES":
      return new HubError(ErrorCode.PermissionDenied, `Cannot listen on ${where}: permission denied`, { cause });
    default:
      return new HubError(ErrorCode.Unavailable, `Cannot listen on ${where}: ${cause.message}`, { cause });
  }
}
