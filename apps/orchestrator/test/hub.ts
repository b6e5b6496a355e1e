import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leftovers, signalProcess } from "../src/demo/leftovers.ts";
import { findHub } from "../src/hub/state-file.ts";
import { programCommand } from "../src/program-path.ts";

const fixture = (name: string): string => join(import.meta.dirname, "fixtures", name);

/** A little less than a test may take, so that the failure shows what the program said. */
const UNTIL_MS = 50_000;

/** Each test has a home of its own, and would compile everything anew. */
const COMPILE_CACHE = join(tmpdir(), "orchestrator-compile-cache");

/** A plugins.yaml with the given fixtures, by plugin id. */
export function pluginsYaml(plugins: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    plugins: Object.entries(plugins).map(([id, file]) => ({
      id,
      binary: fixture(file),
      restart: "never",
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
    })),
  });
}

/** A workspace, certificates and a home of its own; `dispose` ends whatever was started in it and removes it. */
export class Scratch implements AsyncDisposable {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "orchestrator-test-")));
  readonly workspace = this.path;
  readonly env: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    HOME: this.path,
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    ORCHESTRATOR_CERTS_DIR: join(this.path, ".certs"),
  };

  constructor(plugins: Readonly<Record<string, string>> = { "tools.echo": "echo-plugin.ts" }) {
    writeFileSync(join(this.path, "plugins.yaml"), pluginsYaml(plugins));
  }

  /** Starts the program as a process; what it says is kept. */
  start(...args: string[]): Program {
    return new Program(args, this);
  }

  /** A hub that is ready. */
  async serve(...args: string[]): Promise<Program> {
    const program = this.start("serve", "--listen-addr", "localhost:0", "--json", ...args);
    await program.until(() => program.stdout.includes('"event": "ready"'), "the hub to be ready");
    return program;
  }

  hubPid(): number | undefined {
    const found = findHub(this.workspace);
    return found.is === "running" ? found.state.pid : undefined;
  }

  /** Whatever still runs that has to do with this directory. */
  left(): readonly number[] {
    return leftovers([], this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let tries = 0; this.left().length > 0; tries++) {
      for (const pid of this.left()) signalProcess(pid, tries < 250 ? "SIGTERM" : "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    rmSync(this.path, { recursive: true, force: true });
  }
}

export class Program {
  readonly child: ChildProcess;
  readonly exited: Promise<number | NodeJS.Signals>;
  stdout = "";
  stderr = "";
  #changed: (() => void) | undefined;

  constructor(args: readonly string[], { workspace, env }: Scratch) {
    const [program, ...rest] = programCommand(args);
    this.child = spawn(program, rest, { cwd: workspace, env, stdio: ["pipe", "pipe", "pipe"] });
    for (const name of ["stdout", "stderr"] as const) {
      this.child[name]!.on("data", (chunk: Buffer) => {
        this[name] += chunk.toString();
        this.#changed?.();
      });
    }
    this.exited = once(this.child, "close").then(([code, signal]) => {
      this.#changed?.();
      return code ?? signal;
    });
  }

  /** Waits for what the program says. A program that ends first, or does not say it before the test is over, fails the test. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), UNTIL_MS);
    try {
      while (!condition()) {
        if (this.child.exitCode !== null || this.child.signalCode !== null) {
          const how = await this.exited;
          // Its last words may have come with its end.
          if (condition()) return;
          throw new Error(`Waited for ${what}; the program ended with ${how}\n${this.stdout}${this.stderr}`);
        }
        await new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
