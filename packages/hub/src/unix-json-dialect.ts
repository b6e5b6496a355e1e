import { chmodSync } from "node:fs";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Attachment, HealthReport, PluginProcess, ProcessGuard } from "@orchestrator/supervisor";
import { describeExit } from "@orchestrator/supervisor";
import { initialise, KvTools, requestShutdown, UnixJsonLink } from "@orchestrator/unix-json";
import type { HubLog } from "./hub-log.ts";
import type { Probed, ProbeSpec } from "./manifest-probe.ts";
import type { DialectOptions } from "./orchestra-dialect.ts";
import type { Offer, PluginEntry } from "./plugin-entry.ts";
import type { Port } from "./port.ts";
import { instanceId } from "./unix-json/instance-id.ts";
import { type Metadata, manifestOf } from "./unix-json/metadata.ts";
import { MetadataProbe } from "./unix-json/metadata-probe.ts";
import { SocketDirectory } from "./unix-json/socket-directory.ts";

export interface UnixJsonOptions extends Pick<DialectOptions, "accept" | "onReady" | "onGone"> {
  readonly stateDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: HubLog;
  /** Sees to it that nothing of a program stays behind. */
  readonly guard?: ProcessGuard | undefined;
  /** How long a program may take to say what it is. */
  readonly metadataMs?: number | undefined;
  /** The file that the log of a plugin goes to. */
  readonly logPath: (id: string) => string;
}

/**
 * The `unix-json` dialect: a plugin that listens on a socket of its own choosing no more, but on the one that the hub names in
 * its environment; that says what it is with `--metadata`; and that is told the rest by its first message.
 */
export class UnixJsonDialect {
  readonly probe: MetadataProbe;
  readonly #options: UnixJsonOptions;
  readonly #sockets: SocketDirectory;
  /** The socket of the next start, from launch to attach. */
  readonly #next = new Map<PluginEntry, string>();

  constructor(options: UnixJsonOptions) {
    this.#options = options;
    this.probe = new MetadataProbe(options.metadataMs, options.guard);
    this.#sockets = new SocketDirectory(options.stateDir, options.env);
  }

  /** What a program is, as a manifest. @throws {HubError} `START_FAILED`, `INVALID_ARGUMENT` */
  async identify({ id, command, cwd, env }: ProbeSpec, signal: AbortSignal): Promise<Probed> {
    const metadata: Metadata = await this.probe.read({ command, cwd, env, signal }).catch((thrown: unknown) => {
      const { code, message } = HubError.from(thrown);
      const what = `The program "${command[0]}" of plugin "${id}" cannot be used. ${message}`;
      throw new HubError(code, what, { cause: thrown });
    });
    return { manifest: manifestOf(metadata), ceiling: NOTHING, program: JSON.stringify([command, metadata]) };
  }

  /** What a plugin offers: its route, and the store that it may have. */
  offer(plugin: PluginEntry): Offer {
    const { kvForm, providesHttp } = plugin.config;
    return {
      tools: kvForm === "none" ? [] : new KvTools(plugin.id).definitions,
      prompts: [],
      storage: [],
      ai: [],
      http: [...new Set([...providesHttp, ...(plugin.manifest?.providesHttp ?? [])])],
    };
  }

  /**
   * The environment of the next start: what every plugin gets, and what those of this kind look for.
   * @throws {HubError} `INVALID_ARGUMENT`, `PERMISSION_DENIED`, `DATA_LOSS`: what must be mended first
   */
  environment(plugin: PluginEntry, env: Readonly<Record<string, string>>): Record<string, string> {
    if (process.platform === "win32") {
      const what = `Plugin "${plugin.id}" needs Unix sockets, which this system does not have`;
      throw new HubError(ErrorCode.InvalidArgument, what);
    }
    const before = this.#next.get(plugin);
    if (before !== undefined) this.#sockets.release(before);
    const path = this.#sockets.pathFor(plugin.manifestId);
    this.#next.set(plugin, path);
    return {
      ...env,
      TORU_PLUGIN_SOCKET: path,
      TORU_PLUGIN_ID: plugin.manifestId,
      TORU_INSTANCE_ID: instanceId(this.#options.stateDir),
    };
  }

  /** Waits for the plugin to listen, and tells it what it must know. */
  async attach(plugin: PluginEntry, process: PluginProcess, signal: AbortSignal): Promise<Attachment> {
    const path = this.#next.get(plugin);
    if (path === undefined)
      throw new HubError(ErrorCode.Internal, `Plugin "${plugin.id}" was started without a socket`);
    this.#next.delete(plugin);
    try {
      const hangsUp = await this.#introduce(plugin, path, process, signal);
      // The directory keeps others out already; this is what the plugin's own documents promise.
      chmodSync(path, 0o600);
      return this.#attachment(plugin, path, process, hangsUp);
    } catch (reason) {
      this.#sockets.release(path);
      throw reason;
    }
  }

  /** Every plugin is gone. */
  close(): void {
    this.#sockets.remove();
  }

  /** @returns whether it hung up when we had */
  async #introduce(plugin: PluginEntry, path: string, process: PluginProcess, signal: AbortSignal): Promise<boolean> {
    const { stateDir, logPath } = this.#options;
    const gone = new AbortController();
    const exited = process.exited.then((status): never => {
      const what = `Plugin "${plugin.id}" ${describeExit(status)} before it listened on its socket`;
      const error = new HubError(ErrorCode.StartFailed, what);
      gone.abort(error);
      throw error;
    });
    const fields = { instanceId: instanceId(stateDir), pluginSocket: path, logPath: logPath(plugin.id) };
    // Whichever comes first; a plugin that exits takes the wait with it.
    const hangsUp = await Promise.race([initialise(fields, AbortSignal.any([signal, gone.signal])), exited]);
    exited.catch(() => {});
    return hangsUp;
  }

  #attachment(plugin: PluginEntry, path: string, process: PluginProcess, hangsUp: boolean): Attachment {
    const { accept, onReady, onGone, log } = this.#options;
    const { kvForm, connections, callTimeoutMs } = plugin.config;
    let port: Port | undefined;
    const link = new UnixJsonLink(
      {
        peer: plugin.id,
        path,
        hangsUp,
        kvForm,
        connections,
        httpTimeoutMs: callTimeoutMs,
        onRemark: (text) => log.write("warn", plugin.id, `Answered oddly: ${text}`),
      },
      (made) => {
        port = accept(made, plugin);
        return port;
      },
    );
    const ours = port!;
    return {
      // There is no connection to lose: each call has its own, and a process that is gone is seen to be gone.
      lost: new Promise(() => {}),
      get heard() {
        return link.heard;
      },
      get inFlight() {
        return link.inFlight + (link.isOwed ? 1 : 0);
      },
      activate: () => onReady(plugin, ours, this.offer(plugin)),
      retire: () => onGone(plugin, ours),
      ping: async (pingSignal): Promise<HealthReport> => {
        await link.check(pingSignal);
        return { status: "unknown", message: "" };
      },
      requestShutdown: async (graceMs) => {
        await requestShutdown(path, graceMs);
        // It may hang up at once and save its work afterwards.
        await process.exitedWithin(graceMs);
      },
      detach: (reason) => {
        onGone(plugin, ours);
        link.abort(reason);
        this.#sockets.release(path);
      },
    };
  }
}

/** It calls nobody, so there is nothing that it could need. */
const NOTHING = { storage: [], tools: [], ai: [], events: [], http: [] } as const;
