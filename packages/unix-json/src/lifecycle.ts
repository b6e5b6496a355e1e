import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type InitFields, initFrame, shutdownFrame } from "./codec/encode.ts";

/** Pauses between tries to connect: a plugin is ready after 2 ms, or after a second. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;

/**
 * How long a plugin may take to hang up after init. One that serves its connections one after another does so when it has
 * read the message, and then everything that follows comes after it; one that keeps the connection is not waited for.
 */
const HANG_UP_MS = 1_000;

/**
 * Waits until the plugin takes connections, then tells it what it must know. A socket's file is there before anybody listens
 * on it, and after the plugin is gone: only a connection tells.
 * @throws {unknown} the signal's reason
 */
export async function initialise(fields: InitFields, signal: AbortSignal): Promise<void> {
  const frame = initFrame(fields);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    if (await tell(fields.pluginSocket, frame, HANG_UP_MS)) return;
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
}

/** Asks the plugin to end; resolves when it has hung up, or after `graceMs`. */
export async function requestShutdown(path: string, graceMs: number): Promise<void> {
  await tell(path, shutdownFrame(), graceMs);
}

/**
 * Sends one message that nobody answers, on a connection of its own.
 * @returns false when there was no connection
 */
function tell(path: string, frame: Uint8Array, hangUpMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let connected = false;
    const socket = connect(path, () => {
      connected = true;
      socket.end(frame);
      timer = setTimeout(() => socket.destroy(), hangUpMs);
    });
    let timer: NodeJS.Timeout | undefined;
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(connected);
    });
  });
}
