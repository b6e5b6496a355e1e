import { setTimeout as sleep } from "node:timers/promises";
import type { HubConfig } from "@orchestrator/config";
import { Hub, HubLog, storeOptions } from "@orchestrator/hub";
import { openAuthority } from "@orchestrator/identity";
import { acquireFileLock } from "@orchestrator/identity/internal";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { Store } from "@orchestrator/store";
import { sweepLeftovers } from "@orchestrator/supervisor";
import type { ServeOptions } from "../commands/serve.ts";
import { CliError, ExitCode } from "../exit-code.ts";
import type { Io } from "../io.ts";
import type { Reporter } from "../output/reporter.ts";
import { programVersion } from "../program-path.ts";
import { type ConfigFlags, loadHubConfig } from "./default-config.ts";
import { OPERATOR } from "./hub-client.ts";
import { startLogSink } from "./log-sink.ts";
import { ensureHubDirectory, findHub, lockFile, removeState, socketPath, stateFile, writeState } from "./state-file.ts";
import { watchIdle } from "./watch-idle.ts";

interface Surroundings {
  readonly io: Io;
  readonly report: Reporter;
  /** Where the configuration comes from, when it is read again. */
  readonly source: ConfigFlags;
}

/** Certificates last for months; twice a day is often enough to renew them with time to spare. */
const RENEW_MS = 12 * 3_600_000;

/** How long a hub that is leaving is waited for. It takes less than 8 s, whatever its plugins do. */
const LEAVING_MS = 10_000;

/** Runs the hub of a workspace until it is told to stop, by a signal, an operator, or because nobody is there any more. */
export async function serve(
  workspace: string,
  options: ServeOptions,
  { io, report }: Omit<Surroundings, "source">,
): Promise<ExitCode> {
  const source = {
    workspace,
    isExplicit: options.workspace !== undefined,
    config: options.config,
    strict: options.strictConfig,
    flags: { "listen-addr": options.listenAddr, "certs-dir": options.certsDir, "log-level": options.logLevel },
  };
  const { config, warnings } = await loadHubConfig(io, source);
  for (const warning of warnings) report.note(warning);
  // Before anything is made anew: what an old hub's guardian would still remove must not be ours.
  const { hubs, processes } = await sweepLeftovers(config.stateDir);
  if (hubs > 0)
    report.note(`Cleaned up after a hub that did not end in order: ${processes} of its processes still ran`);
  const release = await takeWorkspace(config.workspace);
  // Its plugins are needed, whether or not somebody reads what it says.
  for (const stream of [io.stdout, io.stderr]) stream.on("error", () => {});
  try {
    return await run(config, options, { io, report, source });
  } finally {
    removeState(config.workspace);
    release();
  }
}

async function run(config: HubConfig, options: ServeOptions, { io, report, source }: Surroundings): Promise<ExitCode> {
  const authority = await openAuthority(config.certsDir);
  const stopped = Promise.withResolvers<string>();
  const log = new HubLog();
  const endSink = startLogSink(log, io.stderr, { ...config.log, env: io.env });
  const version = programVersion();
  const store = await openStore(config, log).catch((error: unknown) => {
    endSink();
    throw error;
  });
  const hub = new Hub({
    store,
    socketPath: socketPath(config.workspace),
    config,
    authority,
    log,
    version,
    env: io.env,
    readConfig: async () => {
      const { config, warnings } = await loadHubConfig(io, source);
      for (const warning of warnings) log.write("warn", "hub", warning);
      return config;
    },
    onStopRequest: () => stopped.resolve("the operator stopped it"),
  });
  const onSignal = (): void => stopped.resolve(`${io.signal.reason ?? "a signal"} came`);
  io.signal.addEventListener("abort", onSignal);
  if (io.signal.aborted) onSignal();
  const timers: NodeJS.Timeout[] = [];
  try {
    hub.removeAtDeath(lockFile(config.workspace));
    await hub.listen();
    // Before anybody finds the hub: many commands at once would otherwise all want to make it.
    await authority.leaf(OPERATOR);
    writeState(config.workspace, {
      address: hub.address,
      socket: hub.socketAddress,
      certsDir: config.certsDir,
      version,
    });
    hub.removeAtDeath(stateFile(config.workspace));
    const starting = hub.startPlugins();
    await Promise.race([starting, stopped.promise]);
    const { pluginsReady, pluginsTotal } = hub.status();
    log.write("info", "hub", `${pluginsReady} of ${pluginsTotal} plugins ready; workspace ${config.workspace}`);
    if (options.json) {
      report.result(
        {
          event: "ready",
          pid: process.pid,
          address: hub.address,
          workspace: config.workspace,
          pluginsReady,
          pluginsTotal,
        },
        () => "",
      );
    }
    if (options.idleExit !== undefined) timers.push(watchIdle(hub, options.idleExit, stopped.resolve));
    timers.push(setInterval(() => void renew(authority, log), RENEW_MS));
    const reason = await stopped.promise;
    // Who looks for a hub from here on shall not find one that is leaving.
    removeState(config.workspace);
    await hub.stop(reason);
    return ExitCode.Ok;
  } catch (error) {
    // Where it did not even listen there is nothing to tell of.
    if (hub.address === "" && hub.socketAddress === "") endSink();
    await hub.stop("it could not go on");
    throw cannotListen(error, config) ?? error;
  } finally {
    io.signal.removeEventListener("abort", onSignal);
    for (const timer of timers) clearInterval(timer);
    await store.close();
    endSink();
  }
}

/** A hub that cannot keep what it is given does not begin: it would lose what plugins believe is kept. */
async function openStore(config: HubConfig, log: HubLog): Promise<Store> {
  const onProblem = (error: HubError): void =>
    log.write("warn", "hub", `The database is not tidied up: ${error.message}`);
  try {
    return await Store.open({ ...storeOptions(config.store), onProblem });
  } catch (reason) {
    const { code, message } = HubError.from(reason);
    throw new CliError(ExitCode.Failure, `The hub's database cannot be opened. ${message}`, { code, cause: reason });
  }
}

/** One hub per workspace: the lock is held for as long as this process lives, and is nobody's once it is gone. */
async function takeWorkspace(workspace: string): Promise<() => void> {
  ensureHubDirectory(workspace);
  const lock = lockFile(workspace);
  for (const deadline = performance.now() + LEAVING_MS; ; await sleep(50)) {
    try {
      return await acquireFileLock(lock, { timeoutMs: 0 });
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== ErrorCode.Unavailable) throw error;
      const found = findHub(workspace);
      if (found.is !== "running" && performance.now() < deadline) continue;
      const who =
        found.is === "running"
          ? `process ${found.state.pid} at ${found.state.address}`
          : "it is just starting or stopping";
      throw new CliError(ExitCode.Failure, `A hub runs for workspace "${workspace}" already: ${who}`, {
        hint: `Stop it: orchestrator stop --workspace "${workspace}"`,
        code: ErrorCode.AlreadyExists,
        cause: error,
      });
    }
  }
}

async function renew(authority: Awaited<ReturnType<typeof openAuthority>>, log: HubLog): Promise<void> {
  try {
    const renewed = await authority.renewIfDue();
    if (renewed.length > 0) log.write("info", "hub", `Renewed certificates: ${renewed.join(", ")}`);
  } catch (error) {
    log.write("error", "hub", `Certificates could not be renewed: ${(error as Error).message}`);
  }
}

function cannotListen(error: unknown, config: HubConfig): CliError | undefined {
  if (!(error instanceof HubError)) return undefined;
  const isTaken = /EADDRINUSE|in use|already taken/i.test(error.message);
  // UNAVAILABLE alone would end as if no hub ran; that this one cannot listen is a failure.
  if (!isTaken && error.code !== ErrorCode.Unavailable) return undefined;
  const hint = `Stop what listens on ${config.listenAddr}, or choose another address: --listen-addr localhost:0`;
  return new CliError(ExitCode.Failure, error.message, {
    ...(isTaken ? { hint } : {}),
    code: error.code,
    cause: error,
  });
}
