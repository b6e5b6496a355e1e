import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { runStdio } from "@orchestrator/transport-stdio";
import { CliError } from "../exit-code.ts";
import type { Io } from "../io.ts";
import { programVersion } from "../program-path.ts";
import { ensureHub } from "./background.ts";
import { dialHub } from "./dial-hub.ts";
import { HubClient } from "./hub-client.ts";
import type { HubState } from "./state-file.ts";

export interface McpOptions {
  readonly workspace: string;
  readonly idleExit: string;
  readonly log: string;
  readonly hubArgs: readonly string[];
}

const RANK: Readonly<Record<string, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
/** The name that says "gateway" to the hub. */
const CLIENT = "transport.stdio-client";
/**
 * How long a client waits for a hub's plugins to be ready. Later ones are announced to it as they come, so this only spares
 * clients that ask for the tools once and never again.
 */
const PLUGINS_MS = 5_000;
/** How often a hub that is gone when it is asked is looked for anew. */
const TRIES = 5;

/** Serves one MCP client on this process's streams until it hangs up. A hub that is lost is joined again, or started again. */
export async function serveMcp(io: Io, options: McpOptions): Promise<void> {
  const { workspace } = options;
  const least = RANK[options.log] ?? 2;
  const log = (level: "debug" | "info" | "warn" | "error", message: string): void => {
    if (RANK[level]! >= least) io.stderr.write(`orchestrator: ${level}: ${message}\n`);
  };
  const join = (signal?: AbortSignal): Promise<HubState> =>
    ensureHub(workspace, { idleExit: options.idleExit, args: options.hubArgs, signal, env: io.env });
  await reach(join, (state) => pluginsSettled(state, workspace, io.signal), io.signal);
  await runStdio({
    // Asked for each attempt: a hub that was started again has another address.
    connect: (accept, signal) => reach(join, (state) => dialHub(state, CLIENT, accept, signal), signal),
    input: io.stdin,
    output: io.stdout,
    log,
    signal: io.signal,
    info: { version: programVersion() },
  });
}

/** A hub that has been without clients leaves: one that was found may be gone when it is asked. Then there is another to join. */
async function reach<T>(
  join: (signal?: AbortSignal) => Promise<HubState>,
  use: (state: HubState) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const state = await join(signal);
    try {
      return await use(state);
    } catch (error) {
      const isGone = HubError.from(error).code === ErrorCode.Unavailable || error instanceof CliError;
      if (!isGone || tries === TRIES || signal?.aborted === true) throw error;
      await sleep(50 * tries);
    }
  }
}

/** Waits until each plugin is ready or has failed. */
async function pluginsSettled(state: HubState, workspace: string, signal: AbortSignal): Promise<void> {
  await using client = await HubClient.connect(state, workspace, signal);
  for (const deadline = performance.now() + PLUGINS_MS; performance.now() < deadline; ) {
    const { plugins } = await client.control({ $case: "plugins", value: {} }, "plugins", { signal });
    if (plugins.every(({ state: name }) => name !== "registered" && name !== "starting")) return;
    await sleep(15);
  }
}
