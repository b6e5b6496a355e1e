import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { McpClient } from "../../apps/orchestrator/src/demo/mcp-client.ts";
import { findHub } from "../../apps/orchestrator/src/hub/state-file.ts";
import { Scratch } from "../../apps/orchestrator/test/hub.ts";
import { Program } from "../../packages/runtime/test/support/program.ts";
import { ON_REQUEST } from "../test/summary.ts";

const DIRECTORY = "ORCHESTRATOR_ORCHESTRA_PLUGINS";
const root = join(import.meta.dirname, "..", "..");

/** Of the existing programs, or of ours. */
export type Maker = "theirs" | "ours";

/** Path of one of the existing programs; undefined where it is not among them. */
export function existingProgram(name: string): string | undefined {
  const file = join(process.env[DIRECTORY] ?? "", name);
  return process.env[DIRECTORY] !== undefined && existsSync(file) ? file : undefined;
}

/** Tests with the existing programs, which are not ours to hand out: whoever has them names their directory. */
export function describeExisting(name: string, needed: readonly string[], tests: () => void): void {
  const absent = needed.filter((program) => existingProgram(program) === undefined);
  const isNamed = process.env[DIRECTORY] !== undefined;
  const why = isNamed ? `${absent} not in the directory that ${DIRECTORY} names` : `${DIRECTORY} names no directory`;
  if (absent.length === 0) describe(name, tests);
  else it(name, (context) => context.skip(`${ON_REQUEST}${why}`));
}

/** The command of a plugin or of the stdio program. */
export function command(maker: Maker, name: "storage-markdown" | "tools-features" | "transport-stdio"): string {
  return maker === "theirs" ? existingProgram(name)! : join(root, "plugins", name, "bin", name);
}

/** A host that runs storage.markdown and tools.features of either maker, in a directory of its own. */
export class Host implements AsyncDisposable {
  readonly scratch: Scratch;
  readonly address: string;
  readonly certs: string;
  readonly #stop: () => Promise<void>;

  private constructor(scratch: Scratch, address: string, stop: () => Promise<void>) {
    this.scratch = scratch;
    this.address = address;
    this.certs = scratch.env["ORCHESTRATOR_CERTS_DIR"]!;
    this.#stop = stop;
  }

  static async start(maker: Maker, plugins: { storage: Maker; features: Maker }): Promise<Host> {
    const scratch = new Scratch();
    try {
      const config = {
        listen_addr: "localhost:0",
        certs_dir: scratch.env["ORCHESTRATOR_CERTS_DIR"],
        plugins: [
          {
            id: "storage.markdown",
            binary: command(plugins.storage, "storage-markdown"),
            args: [`--workspace=${scratch.workspace}`],
            enabled: true,
            provides_storage: ["markdown"],
          },
          { id: "tools.features", binary: command(plugins.features, "tools-features"), enabled: true },
        ],
      };
      const file = join(scratch.path, "plugins.yaml");
      const more = maker === "theirs" ? { tcp_addr: "localhost:0" } : {};
      writeFileSync(file, JSON.stringify({ ...config, ...more }));
      return maker === "theirs" ? await Host.#theirs(scratch, file) : await Host.#ours(scratch);
    } catch (reason) {
      await scratch[Symbol.asyncDispose]();
      throw reason;
    }
  }

  static async #ours(scratch: Scratch): Promise<Host> {
    const hub = await scratch.serve();
    const found = findHub(scratch.workspace);
    if (found.is !== "running") throw new Error("the hub left no state file");
    return new Host(scratch, found.state.address, async () => {
      hub.child.kill("SIGTERM");
      await hub.exited;
    });
  }

  static async #theirs(scratch: Scratch, file: string): Promise<Host> {
    // Our plugins start with `node` from the PATH.
    const env = { HOME: scratch.path, ORCHESTRATOR_NODE: process.execPath };
    const program = new Program(existingProgram("orchestrator")!, [`--config=${file}`], { env });
    const stop = () => program[Symbol.asyncDispose]();
    try {
      await program.line(/plugin "storage.markdown" registered with router/);
      await program.line(/plugin "tools.features" registered with router/);
      const listening = await program.line(/orchestrator listening on /);
      return new Host(scratch, listening.split(" ").at(-1)!, stop);
    } catch (reason) {
      await stop();
      throw reason;
    }
  }

  /** An MCP client on a stdio program of either maker, which is connected to this host. */
  async client(maker: Maker): Promise<McpClient> {
    const words = [`--orchestrator-addr=${this.address}`, `--certs-dir=${this.certs}`];
    const env = { ...process.env, HOME: this.scratch.path, ORCHESTRATOR_NODE: process.execPath };
    const client = new McpClient([command(maker, "transport-stdio"), ...words], env);
    await client.initialize();
    return client;
  }

  /** Ends the host as its operator would. Their orchestrator takes minutes for that, and leaves plugins behind: it is killed. */
  async stop(): Promise<void> {
    await this.#stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await this.scratch[Symbol.asyncDispose]();
  }
}
