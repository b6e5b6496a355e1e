import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

type Json = Record<string, unknown>;

interface Waiting {
  readonly resolve: (result: Json) => void;
  readonly reject: (error: Error) => void;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: Json;
  readonly error?: { readonly message: string };
}

/** Longest that one answer may take; the first one includes the start of hub and plugins. */
const ANSWER_MS = 60_000;

/** A client as an IDE has one: it starts the program, and speaks newline-delimited JSON-RPC on its stdin and stdout. */
export class McpClient {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  /** Why there will be no answers any more. */
  #gone: Error | undefined;
  /** Resolves when the server says that it has other tools than before. */
  #toolsChanged = Promise.withResolvers<void>();
  #stderr = "";

  constructor(command: readonly [string, ...string[]], env: Readonly<Record<string, string | undefined>>) {
    const [program, ...args] = command;
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env });
    this.pid = this.#child.pid ?? 0;
    this.#child.stderr!.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-8192);
    });
    this.#child.stdin!.on("error", () => {}); // the exit tells the story
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#receive(line));
    this.#child.once("error", (error) => this.#fail(error.message));
    this.#child.once("close", (code, signal) => this.#fail(`it ended with ${signal ?? `code ${code}`}`));
  }

  /** Introduces itself. @returns what the server says of itself */
  async initialize(): Promise<Json> {
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "demo", version: "1" } };
    const result = await this.request("initialize", params);
    this.#send({ jsonrpc: "2.0", method: "notifications/initialized" });
    return result;
  }

  async request(method: string, params: Json = {}): Promise<Json> {
    if (this.#gone !== undefined) throw this.#gone;
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    this.#waiting.set(id, { resolve, reject });
    this.#send({ jsonrpc: "2.0", id, method, params });
    const timer = setTimeout(
      () => reject(new Error(`No answer to "${method}" within ${ANSWER_MS} ms\n${this.#stderr}`)),
      ANSWER_MS,
    );
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /**
   * The tools, as soon as this one is among them: a server may be up before all of its plugins are, and tells of those that come.
   * On a busy or slow machine that takes a while.
   */
  async toolsWith(name: string): Promise<readonly { readonly name: string }[]> {
    for (const until = performance.now() + ANSWER_MS; ; ) {
      const changed = this.#toolsChanged.promise;
      const tools = (await this.request("tools/list"))["tools"] as readonly { readonly name: string }[];
      const leftMs = until - performance.now();
      if (tools.some((tool) => tool.name === name)) return tools;
      if (leftMs <= 0) throw new Error(`No plugin offered the tool "${name}" within ${ANSWER_MS} ms\n${this.#stderr}`);
      const pause = new AbortController();
      await Promise.race([changed, sleep(leftMs, undefined, { signal: pause.signal }).catch(() => {})]);
      pause.abort();
    }
  }

  /** Calls a tool. @returns what the model would read, and whether the tool reported a failure */
  async callTool(name: string, args: Json): Promise<{ text: string; isError: boolean; structured: Json }> {
    const { content, isError, structuredContent } = await this.request("tools/call", { name, arguments: args });
    const [first] = content as readonly { text?: string }[];
    return { text: first?.text ?? "", isError: isError === true, structured: (structuredContent ?? {}) as Json };
  }

  /** Hangs up, as a client does that ends, and waits for the program to end. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "close");
    this.#child.stdin!.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 8_000);
    await ended;
    clearTimeout(timer);
  }

  #send(message: Json): void {
    this.#child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  #receive(line: string): void {
    const { id, method, result, error } = JSON.parse(line) as Message;
    if (method === "notifications/tools/list_changed") {
      this.#toolsChanged.resolve();
      this.#toolsChanged = Promise.withResolvers();
      return;
    }
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (error !== undefined) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result ?? {});
  }

  #fail(why: string): void {
    this.#gone = new Error(`The MCP server is gone: ${why}\n${this.#stderr}`);
    for (const { reject } of this.#waiting.values()) reject(this.#gone);
    this.#toolsChanged.resolve();
  }
}
