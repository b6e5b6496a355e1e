import { createHash } from "node:crypto";
import { closeSync, fstatSync, lstatSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { isAlive, ownIdentity, type ProcessIdentity, writePrivateFile } from "@orchestrator/identity/internal";
import { CliError, ExitCode } from "../exit-code.ts";

/** Where a running hub of a workspace can be found. */
export interface HubState extends ProcessIdentity {
  /** `host:port` for QUIC; "" on a machine without it. */
  readonly address: string;
  /** `unix:/path` for programs on this machine; "" where there is none. */
  readonly socket: string;
  readonly certsDir: string;
  readonly version: string;
}

/** A hub that runs, one that left its file behind when it was killed, or none. */
export type FoundHub = { readonly is: "running" | "stale"; readonly state: HubState } | { readonly is: "absent" };

/** The directory for what belongs to the hub of one workspace. It keeps itself out of version control. */
export function hubDirectory(workspace: string): string {
  return join(workspace, ".orchestrator");
}

/** Makes the directory, where only this user may look. @returns its path */
export function ensureHubDirectory(workspace: string): string {
  const directory = hubDirectory(workspace);
  try {
    // The workspace is there. Making directories on the way to it would hide why this one cannot be made.
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST") {
      const hint = "Mend its permissions, or choose another workspace: --workspace DIR";
      throw new CliError(ExitCode.Failure, `Cannot write to workspace "${workspace}" (${code})`, {
        hint,
        cause: error,
      });
    }
  }
  // A repository may bring a link of that name along, and what we write must not land wherever that leads.
  if (!lstatSync(directory).isDirectory()) {
    throw new CliError(ExitCode.Failure, `Cannot use "${directory}": it is a link or a file`, { hint: "Remove it" });
  }
  try {
    writeFileSync(join(directory, ".gitignore"), "*\n", { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return directory;
}

export function stateFile(workspace: string): string {
  return join(hubDirectory(workspace), "hub.json");
}

/** Held by the hub of the workspace for as long as it lives. */
export function lockFile(workspace: string): string {
  return join(hubDirectory(workspace), "hub.lock");
}

/** The file that a hub in the background logs to. */
export function logFile(workspace: string): string {
  return join(hubDirectory(workspace), "hub.log");
}

/** Systems allow 107 bytes, macOS 103. */
const MAX_SOCKET_PATH_BYTES = 100;

/** Where the hub of a workspace takes programs of this machine: within the workspace, or in a short place where that is too long. */
export function socketPath(workspace: string): string {
  const digest = createHash("sha256").update(workspace).digest("hex").slice(0, 16);
  if (process.platform === "win32") return `\\\\.\\pipe\\orchestrator-${digest}`;
  const path = join(hubDirectory(workspace), "hub.sock");
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return path;
  const runtime = process.env["XDG_RUNTIME_DIR"] ?? join(tmpdir(), `orchestrator-${userInfo().uid}`);
  return join(runtime, `orchestrator-${digest}.sock`);
}

/** Looks for the hub of a workspace. A file whose process is gone, or whose process id now means another one, is stale. */
export function findHub(workspace: string): FoundHub {
  const state = readState(workspace);
  if (state === undefined) return { is: "absent" };
  // Another machine or boot. Its address means nothing here; and a file that came with somebody's repository never gets further.
  if (state.scope !== ownIdentity().scope) return { is: "stale", state };
  // "unknown": the system hides start times. Then only dialling tells.
  return { is: isAlive(state) === "dead" ? "stale" : "running", state };
}

/** Makes this process the hub of the workspace, for all to see: as a whole or not at all, mode 0600. */
export function writeState(
  workspace: string,
  hub: Pick<HubState, "address" | "socket" | "certsDir" | "version">,
): void {
  ensureHubDirectory(workspace);
  const state: HubState = { ...ownIdentity(), ...hub };
  writePrivateFile(stateFile(workspace), `${JSON.stringify(state, null, 2)}\n`);
}

/** Removes the file, if it is this process's own: another hub may have taken the place of one that was slow to leave. */
export function removeState(workspace: string): void {
  const state = readState(workspace);
  const own = ownIdentity();
  if (state?.pid !== own.pid || state.startTime !== own.startTime || state.scope !== own.scope) return;
  rmSync(stateFile(workspace), { force: true });
}

function readState(workspace: string): HubState | undefined {
  try {
    const text = readOwn(stateFile(workspace));
    const state = JSON.parse(text) as Partial<HubState>;
    const texts = [state.startTime, state.scope, state.address, state.socket, state.certsDir, state.version];
    const valid = Number.isInteger(state.pid) && texts.every((text) => typeof text === "string");
    return valid ? (state as HubState) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A file that another user could have written is none: it would lead us to that user's hub, with our certificates. That can
 * happen in a directory that many share, since commands look upwards for a hub.
 */
function readOwn(path: string): string {
  const fd = openSync(path, "r");
  try {
    const { uid, mode } = fstatSync(fd);
    const isOwn = process.platform === "win32" || (uid === process.getuid?.() && (mode & 0o022) === 0);
    return isOwn ? readFileSync(fd, "utf8") : "";
  } finally {
    closeSync(fd);
  }
}
