import type { Child } from "../children.ts";

interface Answer {
  readonly id?: number;
  readonly result?: { readonly isError?: boolean; readonly content?: readonly { readonly text?: string }[] };
  readonly error?: { readonly message: string };
}

/** A client of the Model Context Protocol on a program's standard streams; answers may come in any order. */
export class McpClient {
  readonly #program: Child;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #next = 1;

  private constructor(program: Child) {
    this.#program = program;
    this.#read();
  }

  static async connect(program: Child): Promise<McpClient> {
    const client = new McpClient(program);
    await client.#request("initialize", {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "bench", version: "1" },
    });
    program.process.stdin!.write(`${JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })}\n`);
    return client;
  }

  /** Calls a tool; resolves with its text. @throws Error when it fails */
  async call(name: string, args: object): Promise<string> {
    const { result } = await this.#request("tools/call", { name, arguments: args });
    const text = result?.content?.[0]?.text ?? "";
    if (result?.isError === true) throw new Error(`${name} failed: ${text}`);
    return text;
  }

  async #request(method: string, params: object): Promise<Answer> {
    const id = this.#next++;
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(id, waiting);
    this.#program.process.stdin!.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    const answer = await waiting.promise;
    if (answer.error !== undefined) throw new Error(`${method} failed: ${answer.error.message}`);
    return answer;
  }

  #read(): void {
    this.#program.next().then(
      (line) => {
        const answer = JSON.parse(line) as Answer;
        if (answer.id !== undefined) {
          this.#waiting.get(answer.id)?.resolve(answer);
          this.#waiting.delete(answer.id);
        } // else a notification
        this.#read();
      },
      (reason) => {
        for (const waiting of this.#waiting.values()) waiting.reject(reason);
      },
    );
  }
}
