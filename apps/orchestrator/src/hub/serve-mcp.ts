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
 * How often a client looks whether a hub's plugins are ready, and how long it waits in between: 5 s in all, and longer on a busy
 * machine, where plugins take longer, too. Later ones are announced to it as they come, so this only spares clients that ask for the
 * tools once and never again.
 */
const PLUGIN_LOOKS = 333;
const PLUGIN_LOOK_MS = 15;
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
  let first: HubClient | undefined = await reach(
    join,
    (state) => pluginsSettled(state, workspace, io.signal),
    io.signal,
  );
  const letGo = async (): Promise<void> => {
    const held = first;
    first = undefined;
    await held?.close();
  };
  try {
    await runStdio({
      connect: async (accept, signal) => {
        // Asked for each attempt: a hub that was started again has another address.
        const link = await reach(join, (state) => dialHub(state, CLIENT, accept, signal), signal);
        // Not sooner: a hub that is without clients may leave.
        await letGo();
        return link;
      },
      input: io.stdin,
      output: io.stdout,
      log,
      signal: io.signal,
      info: { version: programVersion() },
    });
  } finally {
    await letGo();
  }
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

/** Waits until each plugin is ready or has failed. @returns the connection over which that was seen */
async function pluginsSettled(state: HubState, workspace: string, signal: AbortSignal): Promise<HubClient> {
  const client = await HubClient.connect(state, workspace, signal);
  try {
    for (let look = 0; look < PLUGIN_LOOKS; look += 1) {
      const { plugins } = await client.control({ $case: "plugins", value: {} }, "plugins", { signal });
      if (plugins.every(({ state: name }) => name !== "registered" && name !== "starting")) break;
      await sleep(PLUGIN_LOOK_MS);
    }
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}
