import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withFileLock } from "@orchestrator/identity/internal";
import { ErrorCode } from "@orchestrator/protocol";
import { CliError, ExitCode } from "../exit-code.ts";
import { programCommand } from "../program-path.ts";
import { ensureHubDirectory, findHub, type HubState, logFile } from "./state-file.ts";

export interface BackgroundOptions {
  /** How long the hub stays without clients, as `--idle-exit` takes it. */
  readonly idleExit: string;
  /** More arguments for `serve`. */
  readonly args?: readonly string[];
  /** How long it may take until it listens. Default 30 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A log of this size is put aside when the next hub starts; one old log is kept. */
const LOG_BYTES = 5 * 1024 * 1024;

/**
 * The hub of a workspace: the one that runs, or a new one in the background, which outlives this process. Of several programs
 * that ask at once, one starts it and all get the same.
 * @throws {CliError} when it does not start; the message ends with its last log lines
 */
export async function ensureHub(workspace: string, options: BackgroundOptions): Promise<HubState> {
  const found = findHub(workspace);
  if (found.is === "running") return found.state;
  const lock = join(ensureHubDirectory(workspace), "start.lock");
  const timeoutMs = options.timeoutMs ?? 30_000;
  const waiting = { timeoutMs: timeoutMs + 5_000, ...(options.signal === undefined ? {} : { signal: options.signal }) };
  return withFileLock(lock, () => start(workspace, { ...options, timeoutMs }), waiting);
}

async function start(
  workspace: string,
  options: BackgroundOptions & { readonly timeoutMs: number },
): Promise<HubState> {
  // Somebody else may have started it while we waited.
  const found = findHub(workspace);
  if (found.is === "running") return found.state;
  const log = logFile(workspace);
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES) renameSync(log, `${log}.1`);
  const output = openLog(log);
  const from = statSync(log).size;
  const args = [
    "serve",
    "--workspace",
    workspace,
    "--listen-addr",
    "localhost:0",
    "--idle-exit",
    options.idleExit,
    ...(options.args ?? []),
  ];
  const [program, ...rest] = programCommand(args);
  const child = spawn(program, rest, {
    cwd: workspace,
    stdio: ["ignore", output, output],
    // A process group of its own: an interrupt typed for us is none for the hub.
    detached: true,
    env: { ...(options.env ?? process.env), NO_COLOR: "1" },
  });
  closeSync(output);
  const gone = once(child, "exit").then(
    ([code, signal]) => `it ended with ${signal ?? `code ${code}`}`,
    (error: Error) => error.message,
  );
  let ended: string | undefined;
  void gone.then((how) => {
    ended = how;
  });
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const now = findHub(workspace);
    if (now.is === "running" && now.state.pid === child.pid) {
      child.unref();
      return now.state;
    }
    if (ended !== undefined) throw notStarted(workspace, ended, from);
    if (performance.now() > deadline || options.signal?.aborted) {
      child.kill("SIGKILL");
      throw notStarted(workspace, `it did not listen within ${options.timeoutMs} ms`, from);
    }
    await sleep(10);
  }
}

function notStarted(workspace: string, why: string, from: number): CliError {
  const log = logFile(workspace);
  const text = existsSync(log) ? readFileSync(log).subarray(from).toString() : "";
  const lines = text.trimEnd().split("\n").slice(-8).join("\n");
  return new CliError(
    ExitCode.Failure,
    `The hub of workspace "${workspace}" did not start: ${why}${lines === "" ? "" : `\n${lines}`}`,
    {
      hint: `Its log is "${log}"; orchestrator doctor looks for causes`,
      code: ErrorCode.StartFailed,
    },
  );
}

/** A link in its place, which a repository may bring along, is not followed. */
function openLog(path: string): number {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW = 0 } = constants;
  return openSync(path, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600);
}
