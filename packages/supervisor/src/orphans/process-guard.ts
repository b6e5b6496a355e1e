import { rmSync } from "node:fs";
import type { CgroupLayout } from "../limits/cgroup-layout.ts";
import { HubCgroups } from "../limits/hub-cgroups.ts";
import type { ProcessLimits } from "../limits/process-limits.ts";
import { ownIdentity } from "../processes/process-identity.ts";
import { addUse, type ResourceUse } from "../processes/resource-use.ts";
import { findMarked, type MarkedProcess } from "./find-marked.ts";
import { GuardedInstance } from "./guarded-instance.ts";
import { Guardian } from "./guardian.ts";
import { createHubMark, type HubMark, MAX_INSTANCES } from "./hub-mark.ts";
import { killAll } from "./kill-all.ts";
import { hasShell, marksWork, programProblem, SHELL } from "./launch-shim.ts";
import { recordPath, removeSocket, type StampedFile, stampOf, writeRecord } from "./run-record.ts";
import { Shared } from "./shared.ts";

export interface ProcessGuardOptions {
  /** Where the record of this run is kept for the next hub; see `sweepLeftovers`. */
  readonly stateDir: string;
  /** Something that an operator should know of; one sentence. */
  readonly onTrouble?: (text: string) => void;
  /** Control groups of this machine; tests bring their own. */
  readonly cgroups?: CgroupLayout;
}

export interface AdmitOptions {
  readonly limits?: ProcessLimits | undefined;
  /** The socket that the plugin will listen on: removed with the instance, or with the hub. */
  readonly socket?: string | undefined;
}

export interface GuardedCommand extends AdmitOptions {
  /** The plugin's. */
  readonly id: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface PreparedCommand {
  readonly instance: GuardedInstance;
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

const SOON_MS = 1_000;

/**
 * Sees to it that nothing which a hub starts outlives it, or the plugin that it belongs to. One per hub: it marks processes
 * (`HubMark`), keeps a guardian that acts when the hub no longer can, and a record with which the next hub can.
 *
 * Works on Linux. Elsewhere on Unix only process groups are ended after the death of a hub, and a descendant that left its group
 * stays; on Windows nothing is. `warnings` says so.
 */
export class ProcessGuard {
  readonly mark: HubMark = createHubMark();
  readonly #options: ProcessGuardOptions;
  readonly #cgroups: HubCgroups;
  readonly #instances = new Map<number, GuardedInstance>();
  readonly #files = new Map<string, string>();
  readonly #sockets = new Set<string>();
  readonly #seen: Shared<Map<number, MarkedProcess[]>>;
  #isBegun = false;
  #guardian: Guardian | undefined;
  #marksWork: Promise<boolean> | undefined;
  /** Some process carries its mark only in its environment. */
  #hasUnmarked = false;
  readonly #soon = new Set<GuardedInstance>();
  #soonTimer: NodeJS.Timeout | undefined;
  #next = 0;
  #closing: Promise<void> | undefined;
  #recordProblem: string | undefined;

  constructor(options: ProcessGuardOptions) {
    this.#options = options;
    this.#cgroups = new HubCgroups(this.mark.token, options.cgroups);
    this.#seen = new Shared(async () => {
      const found = await this.#find();
      return Map.groupBy(found, (process) => process.number);
    });
  }

  /** What does not work here, one sentence each. */
  get warnings(): string[] {
    const platform = platformWarning();
    return [
      ...(platform === undefined ? [] : [platform]),
      ...(this.#recordProblem ? [this.#recordProblem] : []),
      ...this.#cgroups.warnings,
    ];
  }

  /** The process that outlives this one to clean up; 0 where there is none. */
  get guardianPid(): number {
    return this.#guardian?.pid ?? 0;
  }

  /** Makes room for one more process of a plugin: a mark, and control groups. */
  async admit(pluginId: string, options: AdmitOptions = {}): Promise<GuardedInstance> {
    const { limits = {}, socket } = options;
    this.#begin();
    await this.#marksWork;
    const number = this.#number();
    const instance = new GuardedInstance({
      mark: this.mark,
      pluginId,
      number,
      limits,
      cgroups: this.#cgroups.layoutFor(limits),
      find: async () => (await this.#seen.next()).get(number) ?? [],
      onLeft: (pids) => this.#trouble(`Processes of plugin "${pluginId}" cannot be ended: ${pids.join(", ")}`),
      onUnseen: (unseen, why) => {
        this.#trouble(`It cannot be seen what is left of plugin "${pluginId}", so it is looked again: ${why}`);
        if (this.#closing === undefined) this.clearSoon(unseen);
      },
      onUnmarked: () => {
        this.#hasUnmarked = true;
      },
      onStart: (pid) => {
        if (process.platform !== "linux") this.#guardian?.group(pid);
      },
      onEnd: (pid) => {
        this.#instances.delete(number);
        if (socket !== undefined) {
          removeSocket(socket);
          this.forget(socket);
        }
        if (process.platform !== "linux") this.#guardian?.forget(pid);
      },
    });
    this.#instances.set(number, instance);
    if (socket !== undefined) this.socket(socket);
    const warning = this.#cgroups.warn(pluginId, instance.limitProblems);
    if (warning !== undefined) this.#trouble(warning);
    return instance;
  }

  /**
   * Makes ready what is to be run: the command and environment to start in place of the ones given.
   * @throws {NodeJS.ErrnoException} `ENOENT` or `EACCES` when there is no such program: with the mark, its start would not tell
   */
  async prepare(spec: GuardedCommand): Promise<PreparedCommand> {
    const problem = programProblem(spec.command[0], spec.cwd, spec.env);
    if (problem !== undefined) {
      throw Object.assign(new Error(`spawn ${spec.command[0]} ${problem}`), { code: problem });
    }
    const instance = await this.admit(spec.id, spec);
    return { instance, ...instance.wrap(spec.command, spec.env) };
  }

  /** For what ended as it should, and hardly leaves anything behind: looked after with others, within a second. */
  clearSoon(instance: GuardedInstance): void {
    this.#soon.add(instance);
    this.#soonTimer ??= setTimeout(() => {
      this.#soonTimer = undefined;
      const due = [...this.#soon];
      this.#soon.clear();
      for (const one of due) void one.clear();
    }, SOON_MS).unref();
  }

  /** A file, socket or lock that must not stay when the hub is killed. Call it when it exists; a directory is no file. */
  file(path: string): void {
    const stamp = stampOf(path);
    if (stamp === undefined) return;
    this.#files.set(path, stamp);
    this.#change((guardian) => guardian.file(path));
  }

  /** A socket that a plugin is about to make, under a name that nobody else uses. */
  socket(path: string): void {
    this.#sockets.add(path);
    this.#change((guardian) => guardian.socket(path));
  }

  /** The file or socket was removed, or may stay. */
  forget(path: string): void {
    if (!this.#files.delete(path) && !this.#sockets.delete(path)) return;
    this.#change((guardian) => guardian.forget(path));
  }

  /** What all processes of a plugin use together; undefined while it has none, and where the system does not tell. */
  async usage(pluginId: string): Promise<ResourceUse | undefined> {
    const own = [...this.#instances.values()].filter((instance) => instance.pluginId === pluginId);
    const uses = await Promise.all(own.map((instance) => instance.usage()));
    const known = uses.filter((use) => use !== undefined);
    if (known.length === 0) return undefined;
    return known.reduce((sum, use) => addUse(sum, use));
  }

  /** Kills whatever is left of this hub's processes, removes what it made, and sends the guardian away. Repeatable. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#soonTimer);
    if (!this.#isBegun) return;
    await Promise.all([...this.#instances.values()].map((instance) => instance.clear()));
    const { left, unseen } = await killAll(this.mark, { find: () => this.#find() });
    for (const { pid } of left) this.#trouble(`Process ${pid} cannot be ended`);
    // The guardian has descriptors of its own: it looks when this process is gone.
    if (unseen !== undefined) {
      this.#trouble(`It cannot be seen whether a process is left, so the guardian will look: ${unseen.message}`);
      return;
    }
    for (const path of this.#sockets) removeSocket(path);
    await this.#cgroups.undo();
    await this.#guardian?.close();
    try {
      rmSync(recordPath(this.#options.stateDir, this.mark.token), { force: true });
    } catch {
      // It could not be written either, and that was told.
    }
  }

  async #find(): Promise<MarkedProcess[]> {
    const environ = this.#hasUnmarked || (await this.#marksWork) !== true;
    return await findMarked(this.mark, { environ });
  }

  /**
   * Nothing is started before there is something to guard. Then the guardian comes first, and what it is to remove; the record
   * after it, so that whatever a record names is somebody's to remove; and all of it before the first plugin.
   * @returns true when that was now: all that is known is told and recorded then
   */
  #begin(): boolean {
    if (this.#isBegun || process.platform === "win32") return false;
    this.#isBegun = true;
    const isGuarded = hasShell();
    if (isGuarded) {
      this.#guardian = new Guardian({ mark: this.mark, onTrouble: (text) => this.#trouble(text) });
      for (const path of this.#files.keys()) this.#guardian.file(path);
      for (const path of this.#sockets) this.#guardian.socket(path);
      for (const directory of this.#cgroups.directories) this.#guardian.cgroup(directory);
      this.#guardian.record(recordPath(this.#options.stateDir, this.mark.token));
    }
    this.#record();
    if (isGuarded) this.#marksWork = marksWork();
    return true;
  }

  /** Something is to be removed, or no longer. The guardian hears it before the record says it, for the same reason. */
  #change(tell: (guardian: Guardian) => void): void {
    if (this.#begin()) return;
    if (this.#guardian !== undefined) tell(this.#guardian);
    this.#record();
  }

  #number(): number {
    while (this.#instances.has(this.#next)) this.#next = (this.#next + 1) % MAX_INSTANCES;
    const number = this.#next;
    this.#next = (number + 1) % MAX_INSTANCES;
    return number;
  }

  #record(): void {
    const files: StampedFile[] = [...this.#files].map(([path, stamp]) => ({ path, stamp }));
    const { stateDir } = this.#options;
    const record = {
      ...this.mark,
      hub: ownIdentity(),
      files,
      sockets: [...this.#sockets],
      cgroups: this.#cgroups.directories,
    };
    try {
      writeRecord(stateDir, record);
      this.#recordProblem = undefined;
    } catch (error) {
      const why = (error as Error).message;
      const text = `After a power cut or a kill of the guardian, plugins of this hub would stay behind: ${why}`;
      if (this.#recordProblem === undefined) this.#trouble(text);
      this.#recordProblem = text;
    }
  }

  #trouble(text: string): void {
    this.#options.onTrouble?.(text);
  }
}

function platformWarning(): string | undefined {
  if (process.platform === "win32") {
    return "On Windows, plugins stay behind when the hub is killed, and children of a plugin when it is stopped";
  }
  if (!hasShell()) return `There is no ${SHELL}, so plugins stay behind until the next start when this hub is killed`;
  return process.platform === "linux"
    ? undefined
    : "On this system, a child of a plugin that leaves its process group stays behind when the plugin or the hub ends";
}
