import type { NotifyConfig } from "@orchestrator/config";
import { describeExit, type PluginEvent, type ProcessGuard } from "@orchestrator/supervisor";
import { capture } from "../capture.ts";
import type { HubLog } from "../hub-log.ts";

/** Of the last that the command says, so much stands in the log. */
const MAX_WORDS = 500;

export interface NotifierOptions {
  readonly config: NotifyConfig;
  readonly log: HubLog;
  /** Sees to it that nothing of the command stays behind. */
  readonly guard: ProcessGuard;
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
    if (program !== undefined) void this.#guarded(`command "${program}"`, () => this.#run([program, ...args], body));
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

  /** Nothing of it outlives its time, its own end or the hub. */
  async #run(command: readonly [string, ...string[]], input: string): Promise<void> {
    const { cwd, env, guard, config } = this.#options;
    const spec = { command, cwd, env: definedOf(env), guard, timeoutMs: config.timeoutMs, input };
    const captured = await capture(spec, this.#stopped.signal);
    switch (captured.end) {
      case "exited": {
        if (captured.status.code === 0) return;
        const words = captured.stderr.trim().slice(-MAX_WORDS);
        throw new Error(`it ${describeExit(captured.status)}${words === "" ? "" : `; it said: ${words}`}`);
      }
      case "error":
        throw captured.error;
      default:
        throw new Error(`it took longer than ${config.timeoutMs} ms`);
    }
  }
}

function definedOf(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
