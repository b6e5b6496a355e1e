import type { Duplex } from "node:stream";

/** How often is looked whether the peer still takes something, in milliseconds. */
export const FAREWELL_MS = 1_000;
/**
 * Looks after which a peer that takes nothing is cut off. Looks and not a time: where this process stands still that is one look,
 * and the peer may do so as well.
 */
const LOOKS = 5;

/**
 * Ends a socket once the peer has what was sent: it reads that, sees the end and ends its side. One that takes nothing any more is
 * cut off, and one that has everything and does not end its side, too.
 */
export function bidFarewell(socket: Duplex, lookMs: number = FAREWELL_MS): void {
  if (socket.destroyed || socket.writableEnded) return;
  socket.end();
  let left = socket.writableLength;
  let idleLooks = 0;
  const timer = setInterval(() => {
    idleLooks = socket.writableLength < left ? 0 : idleLooks + 1;
    left = socket.writableLength;
    if (idleLooks >= (left === 0 ? 1 : LOOKS)) socket.destroy();
  }, lookMs);
  timer.unref();
  socket.once("close", () => clearInterval(timer));
}
