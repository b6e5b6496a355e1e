import { spawn } from "node:child_process";
import type { NotifyConfig } from "@orchestrator/config";
import type { PluginEvent } from "@orchestrator/supervisor";
import type { HubLog } from "../hub-log.ts";

/** Of what the command says, so much stands in the log. */
const MAX_WORDS = 500;

export interface NotifierOptions {
  readonly config: NotifyConfig;
  readonly log: HubLog;
  /** Of the command. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Tells whoever the operator named that a plugin was given up. Never waited for; what goes wrong stands in the log. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #stopped = new AbortController();

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** Returns at once. */
  notify(event: PluginEvent, timeMs: number): void {
    const { command, webhook } = this.#options.config;
    const body = JSON.stringify({ ...event, timeMs });
    const [program, ...args] = command;
    if (program !== undefined) void this.#guarded(`command "${program}"`, () => this.#run(program, args, body));
    if (webhook !== undefined)
      void this.#guarded(`webhook ${new URL(webhook).origin}`, () => this.#post(webhook, body));
  }

  /** Ends what is under way. */
  stop(): void {
    this.#stopped.abort();
  }

  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      const { cause, message } = error as Error;
      const why = cause instanceof Error ? `${message}: ${cause.message}` : message;
      this.#options.log.write("error", "hub", `The ${what} could not be told of a plugin that was given up: ${why}`);
    }
  }

  async #post(webhook: string, body: string): Promise<void> {
    const response = await fetch(webhook, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(this.#options.config.timeoutMs)]),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`it answered ${response.status}`);
  }

  #run(program: string, args: readonly string[], body: string): Promise<void> {
    const { cwd, env, config } = this.#options;
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(config.timeoutMs)]);
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd,
        env,
        stdio: ["pipe", "ignore", "pipe"],
        signal,
        killSignal: "SIGKILL",
      });
      let words = "";
      child.stderr.on("data", (chunk: Buffer) => {
        if (words.length < MAX_WORDS) words += chunk.toString();
      });
      child.on("error", (error) => {
        const late = signal.aborted && !this.#stopped.signal.aborted;
        reject(late ? new Error(`it took longer than ${config.timeoutMs} ms`) : error);
      });
      child.on("close", (code, killed) => {
        if (code === 0) resolve();
        else reject(new Error(`it ended with ${killed ?? code}. ${words.slice(0, MAX_WORDS).trim()}`.trim()));
      });
      // A command that reads nothing is fine.
      child.stdin.on("error", () => {});
      child.stdin.end(body);
    });
  }
}
