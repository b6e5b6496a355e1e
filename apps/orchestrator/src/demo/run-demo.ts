import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessIdentity } from "@orchestrator/identity/internal";
import type { CallRecord, HubStatus, PluginStatus } from "@orchestrator/protocol";
import { HubClient } from "../hub/hub-client.ts";
import { findHub } from "../hub/state-file.ts";
import type { Io } from "../io.ts";
import { programCommand } from "../program-path.ts";
import { identify, leftovers, signalProcess } from "./leftovers.ts";
import { McpClient } from "./mcp-client.ts";
import { type Played, play } from "./script.ts";

export interface DemoOptions {
  /** Leaves the workspace where it is. */
  readonly keep: boolean;
  /** Told of each step as it is done. */
  readonly onStep: (text: string) => void;
}

export interface DemoResult extends Played {
  readonly workspace: string;
  readonly protocolVersion: string;
  readonly tools: number;
  /** From nothing to the first answer: hub, certificates and plugins included. */
  readonly startMs: number;
  readonly status: HubStatus;
  readonly plugins: readonly PluginStatus[];
  readonly calls: readonly CallRecord[];
  readonly file: string;
  readonly fileText: string;
  readonly stopMs: number;
  readonly processes: readonly number[];
}

/** How long everything may take to be gone; a hub promises less than 8 s whatever its plugins do, on a machine that has time for it. */
const GONE_MS = 30_000;
/** How long the system may take to end what it was told to kill. */
const KILL_MS = 2_000;

/** Plays the main job from end to end, with the real programs in a scratch workspace; leaves nothing behind. */
export async function runDemo(io: Io, options: DemoOptions): Promise<DemoResult> {
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), "orchestrator-demo-")));
  const processes: ProcessIdentity[] = [];
  const started = performance.now();
  // Certificates of its own: a demonstration does not touch what is in the user's home.
  const command = programCommand([
    "mcp",
    "--workspace",
    workspace,
    "--certs-dir",
    join(workspace, ".certs"),
    "--idle-exit",
    "20s",
  ]);
  const client = new McpClient(command, {
    ...io.env,
    ORCHESTRATOR_WORKSPACE: "",
    ORCHESTRATOR_CONFIG: "",
    ORCHESTRATOR_STATE_DIR: join(workspace, ".state"),
  });
  processes.push(identify(client.pid));
  const onInterrupt = (): void => void client.close();
  io.signal.addEventListener("abort", onInterrupt);
  try {
    options.onStep("Starting hub and plugins");
    const { protocolVersion } = await client.initialize();
    const tools = await client.toolsWith("create_project");
    const startMs = performance.now() - started;
    await using hub = await HubClient.open(workspace, io.signal);
    const { plugins } = await hub.control({ $case: "plugins", value: {} }, "plugins");
    processes.push(identify(hub.state.pid), ...plugins.map((plugin) => identify(plugin.pid)));
    options.onStep("Walking a feature through the workflow");
    const played = await play(client);
    const status = await hub.control({ $case: "status", value: {} }, "status");
    const { calls } = await hub.control({ $case: "calls", value: { traceId: "", limit: 1000 } }, "calls");
    const file = join(".projects", played.projectId, "features", `${played.featureId}.md`);
    const fileText = readFileSync(join(workspace, file), "utf8");
    options.onStep("Stopping everything");
    const stopping = performance.now();
    await client.close();
    await hub.control({ $case: "stop", value: {} }, "done");
    await allGone(processes, workspace);
    return {
      ...played,
      workspace,
      protocolVersion: String(protocolVersion),
      tools: tools.length,
      startMs,
      status,
      plugins,
      calls,
      file,
      fileText,
      stopMs: performance.now() - stopping,
      processes: processes.map(({ pid }) => pid),
    };
  } finally {
    io.signal.removeEventListener("abort", onInterrupt);
    await client.close();
    await endHub(workspace);
    if (!options.keep) rmSync(workspace, { recursive: true, force: true });
  }
}

/**
 * After a failure half way: the hub was started in the background and would stay until it is idle. It may be about to start only now,
 * and then it can be found by its command line alone.
 */
async function endHub(workspace: string): Promise<void> {
  const told = new Set<number>();
  for (let waited = 0; waited < GONE_MS + KILL_MS; waited += 20) {
    const found = findHub(workspace);
    const left = leftovers(found.is === "running" ? [found.state] : [], workspace);
    if (left.length === 0) return;
    for (const pid of left) {
      // Once: a second signal would mean "at once". Plugins end with their hub, or by themselves.
      if (waited >= GONE_MS) signalProcess(pid, "SIGKILL");
      else if (!told.has(pid)) signalProcess(pid, "SIGTERM");
      told.add(pid);
    }
    await sleep(20);
  }
}

async function allGone(processes: readonly ProcessIdentity[], workspace: string): Promise<void> {
  const deadline = performance.now() + GONE_MS;
  for (;;) {
    const left = leftovers(processes, workspace);
    if (left.length === 0) return;
    if (performance.now() > deadline) throw new Error(`Processes were left running: ${left.join(", ")}`);
    await sleep(10);
  }
}
