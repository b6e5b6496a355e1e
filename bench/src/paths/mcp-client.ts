import type { Child } from "../children.ts";

interface Answer {
  readonly id?: number;
  readonly result?: { readonly isError?: boolean; readonly content?: readonly { readonly text?: string }[] };
  readonly error?: { readonly message: string };
}

/** A client of the Model Context Protocol on a program's standard streams, one request at a time. */
export class McpClient {
  readonly #program: Child;
  #next = 1;

  private constructor(program: Child) {
    this.#program = program;
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
    let line = await this.#program.ask(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    for (;;) {
      const answer = JSON.parse(line) as Answer;
      if (answer.id === id) {
        if (answer.error !== undefined) throw new Error(`${method} failed: ${answer.error.message}`);
        return answer;
      }
      line = await this.#program.next(); // a notification
    }
  }
}
