import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type AcceptLink, type Link, LinkPeer, type ServeCall } from "@orchestrator/transport";
import { Backoff, type BackoffOptions } from "./backoff.ts";

/** Makes one link to the hub. @throws {HubError} `UNAVAILABLE` where there is none to be had */
export type Connect = (accept: AcceptLink, signal: AbortSignal) => Promise<Link>;

export interface HubConnectionOptions {
  readonly connect: Connect;
  /** Answers what the hub asks of us. */
  readonly serve: ServeCall;
  /** There is a link (again). */
  readonly onUp: (peer: LinkPeer) => void;
  /** The link is gone; another one is being tried for. */
  readonly onDown: (reason: string) => void;
  /** An attempt failed; the next one comes by itself. */
  readonly onRetry?: ((error: HubError, delayMs: number) => void) | undefined;
  readonly backoff?: BackoffOptions | undefined;
}

/** Peers that a gateway may take for its hub: what its certificate says, whoever holds the port. */
const HUB_NAMES: ReadonlySet<string> = new Set(["orchestrator", "orchestra-host"]);

/** A link to the hub that is made again whenever it breaks. */
export class HubConnection {
  readonly #options: HubConnectionOptions;
  readonly #stop = new AbortController();
  #peer: LinkPeer | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: HubConnectionOptions) {
    this.#options = options;
  }

  /** @throws {HubError} where the first attempt fails: then there is probably no hub, and somebody should be told */
  async start(): Promise<void> {
    await this.#dial();
  }

  /** @throws {HubError} `UNAVAILABLE` while there is no link */
  get peer(): LinkPeer {
    if (this.#peer !== undefined) return this.#peer;
    throw new HubError(ErrorCode.Unavailable, "The hub is not connected; trying to reach it again");
  }

  /** Calls under way are given up. Repeatable; resolves once the hub has been told. */
  close(): Promise<void> {
    this.#stop.abort();
    this.#closing ??= this.#peer?.link.close(0) ?? Promise.resolve();
    this.#peer = undefined;
    return this.#closing;
  }

  async #dial(): Promise<void> {
    const { connect, serve, onUp } = this.#options;
    const peer = new LinkPeer(serve);
    const link = await connect(peer.accept, this.#stop.signal);
    if (!HUB_NAMES.has(link.peer)) {
      const error = new HubError(
        ErrorCode.Unauthenticated,
        `The peer at ${link.remoteAddress} is "${link.peer}", not a hub`,
      );
      link.abort(error);
      throw error;
    }
    if (this.#stop.signal.aborted) {
      await link.close(0);
      return;
    }
    this.#peer = peer;
    void link.closed.then(() => this.#lost());
    onUp(peer);
  }

  #lost(): void {
    if (this.#stop.signal.aborted) return;
    this.#peer = undefined;
    this.#options.onDown("The connection to the hub was lost");
    void this.#dialAgain();
  }

  async #dialAgain(): Promise<void> {
    const backoff = new Backoff(this.#options.backoff);
    while (!this.#stop.signal.aborted) {
      try {
        await backoff.wait(this.#stop.signal);
        await this.#dial();
        return;
      } catch (reason) {
        if (!this.#stop.signal.aborted) this.#options.onRetry?.(HubError.from(reason), backoff.nextMs);
      }
    }
  }
}
