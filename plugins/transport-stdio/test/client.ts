import { PassThrough } from "node:stream";
import { runStdio, type StdioEnd, type StdioOptions } from "../src/index.ts";
import { FakeHub } from "./fake-hub.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
export type Message = { readonly [key: string]: any };

/** A gateway in this process, over a hub in this process, and a client that reads and writes its lines. */
export class TestClient implements AsyncDisposable {
  readonly hub: FakeHub;
  readonly input = new PassThrough();
  readonly output = new PassThrough();
  readonly messages: Message[] = [];
  readonly log: string[] = [];
  readonly ended: Promise<StdioEnd>;
  readonly #watchers = new Set<() => void>();
  readonly #abort = new AbortController();
  #partial = "";
  #ids = 0;

  constructor(options: Partial<StdioOptions> & { readonly hub?: FakeHub } = {}) {
    this.hub = options.hub ?? new FakeHub();
    this.output.setEncoding("utf8");
    this.output.on("data", (text: string) => this.#read(text));
    this.ended = runStdio({
      connect: this.hub.connect(),
      signal: this.#abort.signal,
      reconnect: { firstMs: 1, maxMs: 1 },
      ...options,
      input: this.input,
      output: this.output,
      log: (level, message) => void this.log.push(`${level} ${message}`),
    } as StdioOptions);
    this.ended.catch(() => {});
  }

  write(text: string | Uint8Array): void {
    this.input.write(text);
  }

  send(message: unknown): void {
    this.write(`${JSON.stringify(message)}\n`);
  }

  request(method: string, params?: unknown, id: string | number = `r${++this.#ids}`): string | number {
    this.send({ jsonrpc: "2.0", id, method, params });
    return id;
  }

  async ask(method: string, params?: unknown): Promise<Message> {
    const id = this.request(method, params);
    return this.saw((message) => message["id"] === id);
  }

  call(name: string, args: unknown = {}, meta?: unknown): Promise<Message> {
    return this.ask("tools/call", { name, arguments: args, _meta: meta });
  }

  async initialize(version = "2025-11-25"): Promise<Message> {
    const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: "t", version: "0" } };
    const answer = await this.ask("initialize", params);
    this.send({ jsonrpc: "2.0", method: "notifications/initialized" });
    return answer;
  }

  notified(method: string): Promise<Message> {
    return this.saw((message) => message["method"] === method);
  }

  async saw(wanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(wanted);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.ended.catch(() => {});
  }

  #read(text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) this.messages.push(JSON.parse(line));
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}
