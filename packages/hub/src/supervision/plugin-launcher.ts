import { isAbsolute } from "node:path";
import type { Authority } from "@orchestrator/identity";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { PluginProcess, type ProcessGuard } from "@orchestrator/supervisor";
import { hostFlags, interpreted, pluginEnv } from "../launch.ts";
import { ManifestProbe, type Probed, type ProbeSpec } from "../manifest-probe.ts";
import type { PluginEntry } from "../plugin-entry.ts";
import { checkPluginId } from "../plugin-ids.ts";
import type { UnixJsonDialect } from "../unix-json-dialect.ts";

export interface PluginLauncherOptions {
  readonly workspace: string;
  readonly stateDir: string;
  readonly authority: Authority;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where plugins reach the hub; known once it listens. */
  readonly hubAddress: () => string;
  readonly unixJson: UnixJsonDialect;
  /** Sees to it that nothing of a plugin stays behind. */
  readonly guard: ProcessGuard;
  readonly plugins: () => readonly PluginEntry[];
  /** A line that a plugin wrote. */
  readonly onLine: (plugin: string, line: string, stream: "stdout" | "stderr") => void;
}

/** Asks programs who they are, and makes processes of them. */
export class PluginLauncher {
  readonly #options: PluginLauncherOptions;
  readonly #probe = new ManifestProbe();

  constructor(options: PluginLauncherOptions) {
    this.#options = options;
  }

  /** The program is asked anew next time. */
  forget(plugin: PluginEntry): void {
    this.#probe.forget(plugin.program);
  }

  /** What the program says that it is. */
  async ask(plugin: PluginEntry, signal: AbortSignal, timeoutMs = Number.POSITIVE_INFINITY): Promise<Probed> {
    const spec = this.#spec(plugin);
    const bounded = { ...spec, timeoutMs: Math.min(timeoutMs, spec.timeoutMs) };
    if (plugin.config.dialect === "orchestra") return await this.#probe.read(bounded, signal);
    const { unixJson } = this.#options;
    const probed = await unixJson.identify(bounded, signal);
    if (plugin.isReady) return probed;
    plugin.declare(probed);
    // Known before it runs, so that a call to one that does not is told so.
    plugin.offer ??= unixJson.offer(plugin);
    return probed;
  }

  /** Starts a process, also one beside the one that serves. @throws {HubError} what must be mended first */
  async launch(plugin: PluginEntry, signal: AbortSignal): Promise<PluginProcess> {
    const { config } = plugin;
    if (!isAbsolute(config.program) && config.program.includes("/")) {
      throw new HubError(ErrorCode.InvalidArgument, `Program of plugin "${plugin.id}" must be absolute or a bare name`);
    }
    // A copy of its own, so that one start can be told from another of the same program.
    const probed = { ...(await this.ask(plugin, signal)) };
    this.#claimId(plugin, probed.manifest?.id ?? (plugin.manifestId || config.id));
    if (!plugin.isReady) {
      plugin.declare(probed);
      return await this.#spawn(plugin);
    }
    plugin.announce(probed);
    try {
      const process = await this.#spawn(plugin);
      void process.exited.then(() => plugin.withdraw(probed));
      return process;
    } catch (reason) {
      plugin.withdraw(probed);
      throw reason;
    }
  }

  async #spawn(plugin: PluginEntry): Promise<PluginProcess> {
    const { config } = plugin;
    const { command, cwd, env } = this.#spec(plugin);
    const { authority, hubAddress, unixJson, guard } = this.#options;
    const onLine = (line: string, stream: "stdout" | "stderr") => this.#options.onLine(config.id, line, stream);
    const common = { id: plugin.id, cwd, onLine, guard, limits: config.limits };
    if (config.dialect === "unix-json") {
      const whole = unixJson.environment(plugin, env);
      return await PluginProcess.launch({ ...common, command, env: whole, socket: whole["TORU_PLUGIN_SOCKET"] });
    }
    // Plugins that know the variable use the socket; others ignore both and serve QUIC.
    const withLink = process.platform !== "win32";
    const certsDir = await authority.pluginDirectory(plugin.manifestId);
    return await PluginProcess.launch({
      ...common,
      command: [...command, ...hostFlags(hubAddress(), certsDir)],
      env: { ...(withLink ? { ORCHESTRATOR_LINK: "fd:3" } : {}), ...env },
      withLink,
    });
  }

  #spec(plugin: PluginEntry): ProbeSpec {
    const { config } = plugin;
    return {
      id: plugin.id,
      guard: this.#options.guard,
      command: interpreted(config.program, config.args),
      cwd: config.cwd ?? this.#options.workspace,
      env: pluginEnv(config, this.#options, this.#options.env),
      // The start itself has what is left.
      timeoutMs: Math.ceil(config.startTimeoutMs / 2),
    };
  }

  /** The id in the manifest becomes the plugin's identity, so no two plugins may have the same. */
  #claimId(plugin: PluginEntry, manifestId: string): void {
    checkPluginId(plugin.id, manifestId);
    const isHeld = (other: PluginEntry) => other !== plugin && other.enabled && other.manifestId === manifestId;
    const holder = this.#options.plugins().find(isHeld);
    if (holder !== undefined) {
      const what = `Plugins "${holder.id}" and "${plugin.id}" both say that they are "${manifestId}". Disable one of them`;
      throw new HubError(ErrorCode.AlreadyExists, what);
    }
    if (plugin.isReady && manifestId !== plugin.manifestId) {
      const what = `The program of plugin "${plugin.id}" says now that it is "${manifestId}", and was "${plugin.manifestId}"`;
      throw new HubError(ErrorCode.FailedPrecondition, `${what}. Disable it and enable it again`);
    }
    plugin.manifestId = manifestId;
  }
}
