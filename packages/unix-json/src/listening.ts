import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { ErrorCode, HubError } from "@orchestrator/protocol";

/** Where Linux tells which Unix sockets there are, one a line, its flags the fourth word and its path the last. */
const TABLE = "/proc/net/unix";
/** The flag of one that takes connections. */
const LISTENS = 0x1_0000;

/**
 * Looks without a connection where the system lets it: plugins of this kind write a line or two for each, and a log that is full
 * of checks shows nothing else. Only where nothing is seen that way it connects, and hangs up at once.
 * @throws {HubError} `UNAVAILABLE` when nobody listens; otherwise the signal's reason
 */
export async function checkListening(path: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (await isListed(path)) return;
  signal.throwIfAborted();
  await knock(path, signal);
}

/** The socket is there under its name, and takes connections. False also where that cannot be told. */
async function isListed(path: string): Promise<boolean> {
  // Without its file a socket is listed as before, and nobody can reach it any more.
  if (process.platform !== "linux" || !existsSync(path)) return false;
  const table = await readFile(TABLE, "latin1").catch(() => "");
  const end = Buffer.from(` ${path}\n`).toString("latin1");
  // The connections that it has taken have its name, too.
  for (let at = table.indexOf(end); at >= 0; at = table.indexOf(end, at + 1)) {
    const words = table.slice(table.lastIndexOf("\n", at) + 1, at).split(" ");
    if ((Number.parseInt(words[3] ?? "", 16) & LISTENS) !== 0) return true;
  }
  return false;
}

async function knock(path: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(path);
  socket.once("connect", () => resolve());
  socket.once("error", (error: NodeJS.ErrnoException) => {
    // One that has no room for another connection is busy, and listens.
    if (error.code === "EAGAIN") resolve();
    else reject(new HubError(ErrorCode.Unavailable, `Nobody listens at "${path}" (${error.code})`, { cause: error }));
  });
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.destroy();
  }
}
