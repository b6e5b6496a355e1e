import { chmodSync, lstatSync, mkdirSync, statSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";

/** Only the owner may connect. */
const SOCKET_MODE = 0o600;
/** Only the owner may look into a directory that is made for a socket. */
const DIRECTORY_MODE = 0o700;

/**
 * Makes way for a Unix socket: its directory is made where it is missing, a socket that a dead process left behind is removed.
 * A directory that is there is left as it is, unless everybody could put another socket in the place of this one.
 * @throws {HubError} `ALREADY_EXISTS`, `PERMISSION_DENIED`, `INVALID_ARGUMENT`
 */
export async function preparePath(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = dirname(path);
  try {
    mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
    const { mode } = statSync(directory);
    if ((mode & 0o1002) === 0o0002) {
      const what = `Everybody may replace files in "${directory}" (mode ${(mode & 0o7777).toString(8)})`;
      throw new HubError(
        ErrorCode.PermissionDenied,
        `${what}, so a socket there is not safe. Try: chmod o-w "${directory}"`,
      );
    }
  } catch (reason) {
    throw pathError(path, reason);
  }
  const before = look(path);
  if (before === undefined) return;
  if (!before.isSocket) {
    throw new HubError(ErrorCode.AlreadyExists, `Cannot listen on "${path}": there is a file that is no socket`);
  }
  if (await isServed(path)) {
    throw new HubError(ErrorCode.AlreadyExists, `Cannot listen on "${path}": another program listens there`);
  }
  // Another listener may have been faster to clear it away and to listen in its place: that one must stay.
  if (look(path)?.stamp === before.stamp) unlinkSync(path);
}

export function protectSocket(path: string): void {
  if (process.platform !== "win32") chmodSync(path, SOCKET_MODE);
}

/** @param reason what a system call threw */
function pathError(path: string, reason: unknown): HubError {
  if (reason instanceof HubError) return reason;
  const { code, message } = reason as NodeJS.ErrnoException;
  const isForbidden = code === "EACCES" || code === "EPERM" || code === "EROFS";
  const errorCode = isForbidden ? ErrorCode.PermissionDenied : ErrorCode.InvalidArgument;
  return new HubError(errorCode, `Cannot listen on "${path}": ${message}`, { cause: reason });
}

/** What lies there; the stamp tells a file from one that took its place, even where the system gives it the same number. */
function look(path: string): { readonly isSocket: boolean; readonly stamp: string } | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  if (stat === undefined) return undefined;
  return { isSocket: stat.isSocket(), stamp: `${stat.dev}:${stat.ino}:${stat.ctimeNs}` };
}

/** Only a refusal says that nobody is there: one that is too busy to take a connection says something else. */
async function isServed(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "ECONNREFUSED" && code !== "ENOENT"));
  });
}
