import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, HubError } from "@orchestrator/protocol";
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
 * @returns whether it hung up when we had
 * @throws {unknown} the signal's reason
 */
export async function initialise(fields: InitFields, signal: AbortSignal): Promise<boolean> {
  const frame = initFrame(fields);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    const heard = await tell(fields.pluginSocket, frame, HANG_UP_MS);
    if (heard !== undefined) return heard.hungUp;
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
}

/** Asks the plugin to end; resolves when it has hung up, or after `graceMs`. */
export async function requestShutdown(path: string, graceMs: number): Promise<void> {
  await tell(path, shutdownFrame(), graceMs);
}

/**
 * Waits until the plugin has taken a connection with nothing on it and hung up: it has come to the end of what it was at.
 * @returns however late that is
 * @throws {HubError} `UNAVAILABLE` when nobody listens; otherwise the signal's reason
 */
export async function untilFree(path: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    if (await hangUp(path, signal)) return;
    await sleep(LONGEST_PAUSE_MS, undefined, { signal }).catch(() => {});
  }
}

/** @returns false where there is no room for another connection, as long as the plugin takes none */
async function hangUp(path: string, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const socket = connect(path, () => socket.end());
  socket.resume();
  socket.on("close", () => resolve(true));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EAGAIN") resolve(false);
    // It hung up in its own way.
    else if (error.code === "ECONNRESET" || error.code === "EPIPE") resolve(true);
    else reject(new HubError(ErrorCode.Unavailable, `Nobody listens at "${path}" (${error.code})`, { cause: error }));
  });
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.destroy();
  }
}

/**
 * Sends one message that nobody answers, on a connection of its own.
 * @returns undefined when there was no connection
 */
function tell(path: string, frame: Uint8Array, hangUpMs: number): Promise<{ readonly hungUp: boolean } | undefined> {
  return new Promise((resolve) => {
    let heard: { hungUp: boolean } | undefined;
    const socket = connect(path, () => {
      heard = { hungUp: true };
      socket.end(frame);
      timer = setTimeout(() => {
        heard = { hungUp: false };
        socket.destroy();
      }, hangUpMs);
    });
    let timer: NodeJS.Timeout | undefined;
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(heard);
    });
  });
}
