import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { GoPeer } from "./build.ts";

/** A request as protojson: `{ requestId: "r", health: {} }`. */
export type GoRequest = Readonly<Record<string, unknown>>;

/** An answer as protojson; fields at their default are left out. */
// biome-ignore lint/suspicious/noExplicitAny: the shape differs with every request, and the tests say which they expect
export type GoResponse = Record<string, any>;

export interface GoResult {
  readonly responses: readonly GoResponse[];
  readonly sent: number;
  readonly failed: number;
  readonly error: string;
  readonly ms: number;
}

export interface GoClientOptions {
  readonly addr: string;
  readonly certsDir: string;
  /** Common name of its certificate. */
  readonly name: string;
  readonly alpn?: string;
  readonly anonymous?: boolean;
}

/** A client written in Go that obeys commands. Killed at the end. */
export class GoClient implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<GoResult>>();
  #next = 1;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @throws what the library said where it cannot connect */
  static async connect(peer: GoPeer, options: GoClientOptions): Promise<GoClient> {
    const flags = [`--addr=${options.addr}`, `--certs-dir=${options.certsDir}`, `--name=${options.name}`];
    if (options.alpn !== undefined) flags.push(`--alpn=${options.alpn}`);
    if (options.anonymous) flags.push("--anonymous");
    const client = new GoClient(spawn(peer.client, flags, { stdio: ["pipe", "pipe", "inherit"] }));
    const lines = createInterface({ input: client.#child.stdout! });
    const [first] = (await Promise.race([once(lines, "line"), once(lines, "close").then(() => ["{}"])])) as [string];
    const { connected, error } = JSON.parse(first) as { connected?: boolean; error?: string };
    if (connected !== true) throw new Error(error ?? "the client said nothing");
    lines.on("line", (line) => {
      const { id, ...result } = JSON.parse(line) as GoResult & { id: number };
      client.#waiting.get(id)?.resolve({ ...result, responses: result.responses ?? [] });
      client.#waiting.delete(id);
    });
    lines.on("close", () => {
      for (const waiting of client.#waiting.values()) waiting.reject(new Error("the client left"));
    });
    return client;
  }

  /** One request. @throws what the library said where there is no answer */
  async call(request: GoRequest): Promise<GoResponse> {
    const { responses, error } = await this.#command({ request });
    if (responses[0] === undefined) throw new Error(error || "no answer");
    return responses[0];
  }

  /** Many equal requests; `responses` holds the last answer. */
  repeat(request: GoRequest, count: number, parallel: number): Promise<GoResult> {
    return this.#command({ request, count, parallel });
  }

  /** Every answer of a stream. `cancel` after some chunks: by the client's own means ("same"), or on another stream. */
  stream(request: GoRequest, cancel?: { after: number; on: "same" | "other" }): Promise<GoResult> {
    return this.#command({ request, stream: true, cancelAfter: cancel?.after ?? 0, cancel: cancel?.on ?? "" });
  }

  /** A tool's answer: its text, or its error code and message. */
  async tool(
    toolName: string,
    args: object = {},
    more: object = {},
  ): Promise<{ text: string; code: string; message: string }> {
    const request = { requestId: toolName, toolCall: { toolName, arguments: args, callerPlugin: "liar", ...more } };
    const { toolCall } = await this.call(request);
    if (toolCall === undefined) throw new Error("answered with something else");
    return { text: toolCall.result?.text ?? "", code: toolCall.errorCode ?? "", message: toolCall.errorMessage ?? "" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  #command(command: object): Promise<GoResult> {
    const id = this.#next++;
    const waiting = Promise.withResolvers<GoResult>();
    this.#waiting.set(id, waiting);
    this.#child.stdin!.write(`${JSON.stringify({ id, ...command })}\n`);
    return waiting.promise;
  }
}

/** base64 in protojson → text. */
export function decodeBytes(data: string | undefined): string {
  return Buffer.from(data ?? "", "base64").toString();
}
