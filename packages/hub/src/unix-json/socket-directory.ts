import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { signalReaches } from "@orchestrator/identity/internal";
import { ErrorCode, HubError } from "@orchestrator/protocol";

/** Linux allows 107 bytes in the path of a socket, macOS 103. */
const MAX_PATH_BYTES = 103;
/** Of an id as much stands in a name as people need to recognise it. */
const SHOWN_ID = 16;
/** The longest name of a socket: id, process, count. */
const NAME_BYTES = SHOWN_ID + 20;

/**
 * Where the sockets of plugins are: a short directory of this hub's own that only its user may enter. Each start of a plugin
 * gets a path that none had before, so an old instance and a new one do not meet.
 */
export class SocketDirectory {
  readonly path: string;
  readonly #given = new Set<string>();
  #next = 0;
  #isMade = false;

  /** @param stateDir what it belongs to */
  constructor(stateDir: string, env: Readonly<Record<string, string | undefined>> = process.env) {
    const owner = `${process.getuid?.() ?? 0}:${stateDir}`;
    const name = `orc-${createHash("sha256").update(owner).digest("hex").slice(0, 10)}`;
    const runtime = env["XDG_RUNTIME_DIR"] ?? "";
    const places = [...(isAbsolute(runtime) && isOwnDirectory(runtime) ? [runtime] : []), tmpdir()];
    const fitting = places.find((place) => Buffer.byteLength(join(place, name)) + NAME_BYTES < MAX_PATH_BYTES);
    this.path = join(fitting ?? "/tmp", name);
  }

  /**
   * A path for the next start of a plugin. Nothing lies there.
   * @throws {HubError} `PERMISSION_DENIED` when others could get at it
   */
  pathFor(id: string): string {
    this.#make();
    this.#next += 1;
    const number = `${process.pid.toString(36)}.${this.#next.toString(36)}`;
    const path = join(this.path, `${id.slice(0, SHOWN_ID)}.${number}.sock`);
    rmSync(path, { force: true });
    this.#given.add(path);
    return path;
  }

  /** The instance that had it is gone. */
  release(path: string): void {
    this.#given.delete(path);
    rmSync(path, { force: true });
  }

  /** Takes away what is this hub's own. Repeatable. */
  remove(): void {
    for (const path of this.#given) this.release(path);
    try {
      if (this.#isMade) rmdirSync(this.path);
    } catch {
      // Another hub with the same state directory is still there.
    }
    this.#isMade = false;
  }

  #make(): void {
    if (this.#isMade) return;
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    if (!isOwnDirectory(this.path)) {
      const what = `"${this.path}" is not a directory that this user alone may enter`;
      throw new HubError(ErrorCode.PermissionDenied, `${what}, so sockets there are not safe. Remove it`);
    }
    // A hub that was killed could not clean up.
    for (const name of readdirSync(this.path)) {
      const pid = Number.parseInt(/\.([0-9a-z]+)\.[0-9a-z]+\.sock$/.exec(name)?.[1] ?? "", 36);
      if (pid > 0 && !signalReaches(pid)) rmSync(join(this.path, name), { force: true });
    }
    this.#isMade = true;
  }
}

function isOwnDirectory(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return false;
  return stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
}
