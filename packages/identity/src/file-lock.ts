import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { fileError, NO_HARD_LINKS } from "./files.ts";
import { isAlive, ownIdentity, type ProcessIdentity } from "./process-identity.ts";

export interface LockOptions {
  /** How long to wait for another holder, in milliseconds; default 10 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

interface Owner extends ProcessIdentity {
  readonly token: string;
}

/**
 * A holder that cannot be judged (another machine on a shared directory, a system that hides start times) is taken for dead
 * after this long. What is done under these locks takes well under a second.
 */
const UNKNOWN_OWNER_MS = 60_000;

/**
 * Runs `work` while no other process (and no one else in this one) holds the lock file `path`. The file names its holder by
 * process id and start time, so the lock of a process that was killed is recognised and removed at once.
 * @throws {HubError} `UNAVAILABLE` when it is still held after `timeoutMs`; the message names the holder
 */
export async function withFileLock<T>(path: string, work: () => T | Promise<T>, options: LockOptions = {}): Promise<T> {
  const release = await acquireFileLock(path, options);
  try {
    return await work();
  } finally {
    release();
  }
}

/** As `withFileLock`, for a lock that outlives one function. @returns releases it; safe to call twice */
export async function acquireFileLock(path: string, options: LockOptions = {}): Promise<() => void> {
  const owner: Owner = { ...ownIdentity(), token: randomBytes(8).toString("hex") };
  const deadline = performance.now() + (options.timeoutMs ?? 10_000);
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 2, 50)) {
    options.signal?.throwIfAborted();
    if (tryCreate(path, owner)) return () => removeIf(path, owner.token);
    recoverStale(path, owner);
    if (tryCreate(path, owner)) return () => removeIf(path, owner.token);
    if (performance.now() >= deadline) {
      const holder = readOwner(path);
      throw new HubError(
        ErrorCode.Unavailable,
        `Cannot get the lock "${path}": ${holder === undefined ? "its holder cannot be read" : `process ${holder.pid} holds it`}; ` +
          "wait for it to finish, or remove the file if that process is none of yours",
      );
    }
    await sleep(waitMs, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}

/** Links a complete file into place: unlike create-then-write, nobody can ever read a lock without its owner. */
function tryCreate(path: string, owner: Owner): boolean {
  const own = `${path}.${owner.token}`;
  try {
    writeFileSync(own, JSON.stringify(owner), { mode: 0o600, flag: "wx" });
    linkSync(own, path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "EEXIST") return false;
    if (!NO_HARD_LINKS.has(code)) throw fileError("lock", path, error);
    return tryCreateWithoutLink(path, owner);
  } finally {
    rmSync(own, { force: true });
  }
}

/** Without hard links a reader may find the lock still empty for a moment: it then counts as held by somebody unknown. */
function tryCreateWithoutLink(path: string, owner: Owner): boolean {
  try {
    writeFileSync(path, JSON.stringify(owner), { mode: 0o600, flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw fileError("lock", path, error);
  }
}

/**
 * Removes the lock of a dead holder. Two recoverers could both see the dead one, and the slower would then remove the
 * fresh lock of a third: so only the holder of a second lock may remove, and looks again once it has that.
 */
function recoverStale(path: string, owner: Owner): void {
  if (!isStale(path)) return;
  const guard = `${path}.recover`;
  // A recoverer holds the guard for microseconds; one that was killed just then is judged as any other holder.
  if (isStale(guard)) rmSync(guard, { force: true });
  if (!tryCreate(guard, owner)) return;
  try {
    if (isStale(path)) rmSync(path, { force: true });
  } finally {
    removeIf(guard, owner.token);
  }
}

function isStale(path: string): boolean {
  const owner = readOwner(path);
  if (owner !== undefined) {
    const liveness = isAlive(owner);
    if (liveness !== "unknown") return liveness === "dead";
  }
  try {
    return Date.now() - statSync(path).mtimeMs > UNKNOWN_OWNER_MS;
  } catch {
    return false;
  }
}

function readOwner(path: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(path, "utf8")) as Owner;
    return typeof owner.pid === "number" && typeof owner.scope === "string" ? owner : undefined;
  } catch {
    return undefined;
  }
}

function removeIf(path: string, token: string): void {
  if (readOwner(path)?.token === token) rmSync(path, { force: true });
}
