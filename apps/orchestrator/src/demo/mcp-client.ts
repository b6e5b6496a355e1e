import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

type Json = Record<string, unknown>;

interface Waiting {
  readonly resolve: (result: Json) => void;
  readonly reject: (error: Error) => void;
}

/** Longest that one answer may take; the first one includes the start of hub and plugins. */
const ANSWER_MS = 30_000;

/** A client as an IDE has one: it starts the program, and speaks newline-delimited JSON-RPC on its stdin and stdout. */
export class McpClient {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
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
    const { id, result, error } = JSON.parse(line) as { id?: number; result?: Json; error?: { message: string } };
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (error !== undefined) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result ?? {});
  }

  #fail(why: string): void {
    for (const { reject } of this.#waiting.values())
      reject(new Error(`The MCP server is gone: ${why}\n${this.#stderr}`));
  }
}
