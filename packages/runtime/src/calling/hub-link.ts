import { ErrorCode, HubError, type PluginManifest } from "@orchestrator/protocol";
import type { AcceptLink, Link } from "@orchestrator/transport";
import type { Log } from "../log.ts";
import { type LinkChannel, register } from "./link-channel.ts";
import { OutgoingCalls } from "./outgoing-calls.ts";

/** How a plugin reaches its hub, whatever the carrier. */
export interface HubLinkOptions {
  readonly channel: LinkChannel;
  readonly manifest: PluginManifest;
  /** Serves what the hub asks on the same link. */
  readonly accept: AcceptLink;
  dial(accept: AcceptLink, signal: AbortSignal): Promise<Link>;
  readonly log: Log;
  /** The hub knows the plugin now, for the first time or again. */
  onRegistered(): void;
  /** There is no link, after a loss or a failed attempt; `everRegistered` tells a lost hub from one that never was. */
  onDown(reason: HubError, everRegistered: boolean): void;
  /** The hub does not want this plugin; no further attempt is made. */
  onRefused(reason: string): void;
  readonly backoff?: Partial<Backoff>;
}

/** Delays between attempts: they double from the first to the longest, and half of each is left to chance. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

const BACKOFF: Backoff = { firstMs: 100, maxMs: 5_000 };

/** Keeps a plugin connected to its hub until it is stopped: dials, registers, and starts over when the link is gone. */
export class HubLink {
  readonly #options: HubLinkOptions;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  #link: Link | undefined;
  #everRegistered = false;

  constructor(options: HubLinkOptions) {
    this.#options = options;
    this.#backoff = { ...BACKOFF, ...options.backoff };
  }

  /** True while a link to the hub is up. */
  get isUp(): boolean {
    return this.#link?.isOpen === true;
  }

  /** Resolves once stopped or refused. Never rejects. */
  async run(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted; failures++) {
      const before = this.#everRegistered;
      const outcome = await this.#session();
      if (this.#stop.signal.aborted) return;
      if ("refused" in outcome) return this.#options.onRefused(outcome.refused);
      // A link that worked and broke starts the count again: that hub was alive a moment ago.
      if (outcome.wasRegistered) failures = 0;
      if (failures < 3 || !before) this.#options.log.warn(`No connection to the hub: ${outcome.error.message}`);
      this.#options.onDown(outcome.error, this.#everRegistered);
      await this.#pause(failures);
    }
  }

  /** Ends the link, giving messages on their way `graceMs`. Repeatable. */
  async stop(graceMs: number): Promise<void> {
    const reason = new HubError(ErrorCode.Unavailable, "The plugin is stopping");
    this.#stop.abort(reason);
    this.#options.channel.close(reason);
    await this.#link?.close(graceMs);
  }

  /** One link, from dialling it to its end. */
  async #session(): Promise<{ error: HubError; wasRegistered: boolean } | { refused: string }> {
    let ended: HubError | undefined;
    let wasRegistered = false;
    try {
      let calls: OutgoingCalls | undefined;
      const link = await this.#options.dial((accepted) => {
        calls = new OutgoingCalls(accepted);
        return calls.over(this.#options.accept(accepted), (error) => {
          ended = error;
        });
      }, this.#stop.signal);
      this.#link = link;
      const registration = await register(calls!, this.#options.manifest);
      if (registration !== "accepted") {
        await link.close(0);
        return registration;
      }
      wasRegistered = true;
      this.#everRegistered = true;
      this.#options.channel.use(calls!);
      this.#options.onRegistered();
      await link.closed;
      return { error: ended ?? new HubError(ErrorCode.Unavailable, "The hub closed the connection"), wasRegistered };
    } catch (error) {
      const failure = HubError.from(error, ErrorCode.Unavailable);
      this.#link?.abort(failure);
      return { error: failure, wasRegistered };
    } finally {
      this.#link = undefined;
    }
  }

  #pause(failures: number): Promise<void> {
    const ceiling = Math.min(this.#backoff.firstMs * 2 ** failures, this.#backoff.maxMs);
    const delayMs = ceiling / 2 + (Math.random() * ceiling) / 2;
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      signal.addEventListener("abort", done);
    });
  }
}
