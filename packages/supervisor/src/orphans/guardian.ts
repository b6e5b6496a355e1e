import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { GUARDIAN_SCRIPT } from "./guardian-script.ts";
import { GUARDIAN_VARIABLE, type HubMark } from "./hub-mark.ts";
import { SHELL } from "./launch-shim.ts";

export interface GuardianOptions {
  readonly mark: HubMark;
  /** Something that an operator should know of; one sentence. */
  readonly onTrouble: (text: string) => void;
  /** Directories for the programs that the guardian runs, besides the usual ones. Default: the PATH of this process. */
  readonly path?: string;
}

/** `stat`, `grep` and the like are here; a system that has them elsewhere says so in PATH. */
const USUAL_PATH = "/usr/bin:/bin:/usr/sbin:/sbin";
/** A guardian that cannot be started, or ends sooner than this after its start, is not started again at once. */
const SOON_MS = 1_000;
/** How long it may take to go when it was told to. */
const LEAVE_MS = 2_000;

/**
 * A tiny process beside the hub that outlives it, whatever happens to it, for as long as it takes to end its plugins. It has a
 * session of its own, so what is typed into the hub's terminal does not reach it. If it is killed, another one takes its place.
 */
export class Guardian {
  readonly #options: GuardianOptions;
  /** All that it must know, for its successor. */
  readonly #facts = new Set<string>();
  #child: ChildProcess | undefined;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** The last start failed, and that was told. */
  #isMissing = false;

  constructor(options: GuardianOptions) {
    this.#options = options;
    this.#start();
  }

  /** 0 while there is none. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** It is to remove this file, socket or lock; call this when it exists. A name with a line break cannot be told. */
  file(path: string): void {
    this.#tell(`file ${path}`);
  }

  /** It is to remove this socket, whoever makes it. */
  socket(path: string): void {
    this.#tell(`socket ${path}`);
  }

  /** It is to remove this file last; the name holds the token. */
  record(path: string): void {
    this.#tell(`record ${path}`);
  }

  /** It is to empty the hub's control groups in this directory. */
  cgroup(directory: string): void {
    this.#tell(`cgroup ${directory}`);
  }

  /** It is to kill this process group, where nothing better can be done. */
  group(pid: number): void {
    this.#tell(`group ${pid}`);
  }

  /** The file, socket or process group is gone. */
  forget(what: string | number): void {
    for (const kind of ["file", "socket", "group"]) {
      if (this.#facts.delete(`${kind} ${what}`)) this.#write(`forget ${what}`);
    }
  }

  /** Sends it away, since there is nothing left to guard. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    const gone = once(child, "exit");
    child.ref();
    child.stdin?.end("bye\n");
    const timer = setTimeout(() => child.kill("SIGKILL"), LEAVE_MS);
    await gone;
    clearTimeout(timer);
  }

  #tell(fact: string): void {
    if (fact.includes("\n") || this.#facts.has(fact)) return;
    this.#facts.add(fact);
    this.#write(fact);
  }

  #write(line: string): void {
    this.#child?.stdin?.write(`${line}\n`);
  }

  #start(): void {
    let child: ChildProcess;
    try {
      child = this.#spawn();
    } catch (error) {
      this.#failed(error as Error);
      return;
    }
    if (child.pid === undefined) {
      child.once("error", (error) => this.#failed(error));
      return;
    }
    child.on("error", () => {}); // a signal that it did not get
    // It is gone when this fails; its end is told by itself.
    child.stdin!.on("error", () => {});
    this.#child = child;
    this.#startedAt = performance.now();
    if (this.#isMissing) this.#options.onTrouble("The hub has a guardian again");
    this.#isMissing = false;
    child.once("exit", (code, signal) => this.#gone(child, signal ?? `code ${code}`));
    // A hub that has nothing else to do may end; the guardian sees it.
    child.unref();
    (child.stdin as { unref?: () => void }).unref?.();
    for (const fact of this.#facts) this.#write(fact);
  }

  #spawn(): ChildProcess {
    const { mark, path = process.env["PATH"] ?? "" } = this.#options;
    return spawn(SHELL, ["-c", GUARDIAN_SCRIPT, "orchestrator-guardian", mark.token, mark.digits], {
      // It holds no directory, and no descriptor but its end of the pipe.
      cwd: "/",
      env: { PATH: `${USUAL_PATH}:${path}`, LC_ALL: "C", [GUARDIAN_VARIABLE]: mark.token },
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
  }

  /** Processes or descriptors ran out, which passes. */
  #failed(error: Error): void {
    if (!this.#isMissing) {
      const why = `${error.message}. It is tried again until one runs`;
      this.#options.onTrouble(`No guardian runs, so plugins stay behind when this hub is killed: ${why}`);
    }
    this.#isMissing = true;
    this.#again(SOON_MS);
  }

  #gone(child: ChildProcess, how: string): void {
    if (this.#child === child) this.#child = undefined;
    if (this.#closed) return;
    this.#options.onTrouble(`The hub's guardian was ended (${how}); another one takes its place`);
    this.#again(performance.now() - this.#startedAt < SOON_MS ? SOON_MS : 0);
  }

  #again(delayMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#start(), delayMs);
    this.#timer.unref();
  }
}
