import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Message } from "./client.ts";

export const PROGRAM = fileURLToPath(new URL("../bin/transport-stdio", import.meta.url));

/** The program's wrapper starts the Node that runs the tests, and shares with other tests what that has compiled. */
export const ENVIRONMENT = {
  ...process.env,
  ORCHESTRATOR_NODE: process.execPath,
  NODE_COMPILE_CACHE: join(tmpdir(), "orchestrator-compile-cache"),
};

/** The real program, as a child of this process. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly messages: Message[] = [];
  stderr = "";
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  readonly #watchers = new Set<() => void>();
  #partial = "";
  #gone = false;

  constructor(args: readonly string[]) {
    this.child = spawn(PROGRAM, args, { env: ENVIRONMENT });
    this.child.stdout.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      this.#wake();
    });
    this.child.stdin.on("error", () => {});
    this.exited = once(this.child, "close").then(([code, signal]) => {
      this.#gone = true;
      this.#wake();
      return { code, signal };
    });
  }

  send(message: unknown): void {
    this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  initialize(): Promise<Message> {
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "0" } };
    this.send({ jsonrpc: "2.0", id: "init", method: "initialize", params });
    this.send({ jsonrpc: "2.0", method: "notifications/initialized" });
    return this.saw((message) => message["id"] === "init");
  }

  /** Resolves with the first message that is wanted. */
  async saw(wanted: (message: Message) => boolean): Promise<Message> {
    return this.#until(() => this.messages.find(wanted));
  }

  async logged(text: string): Promise<void> {
    await this.#until(() => this.stderr.includes(text) || undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  async #until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.#gone) throw new Error(`The program is gone: ${this.stderr}`);
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  #read(text: string): void {
    this.#partial += text;
    // Of a long line most pieces end nothing: to look through it with each of them would take longer than all the rest.
    if (!text.includes("\n")) return;
    const lines = this.#partial.split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) this.messages.push(JSON.parse(line));
    this.#wake();
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}
