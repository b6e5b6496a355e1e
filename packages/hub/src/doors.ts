import type { HubConfig } from "@orchestrator/config";
import type { Authority } from "@orchestrator/identity";
import { ErrorCode, errorResponse, HubError, peekRequest, RequestKind } from "@orchestrator/protocol";
import type { AcceptLink, LinkListener } from "@orchestrator/transport";
import { listenQuic, quicSupport } from "@orchestrator/transport-quic";
import { listenSocket } from "@orchestrator/transport-socket";
import type { HubLog } from "./hub-log.ts";
import type { PeerRegistry } from "./peer-registry.ts";
import type { Caller } from "./policy.ts";
import { longName } from "./request-names.ts";
import { SingleCallLink } from "./single-call-link.ts";
import { listenTcp, type TcpListener } from "./tcp-listener.ts";
import { readOrMakeToken } from "./token-file.ts";

export interface DoorsOptions {
  readonly config: HubConfig;
  readonly authority: Authority;
  /** Where peers on this machine connect without QUIC; absent: nowhere. */
  readonly socketPath: string | undefined;
  readonly peers: PeerRegistry;
  readonly log: HubLog;
}

/** What is under way may take this long to end when the hub stops. */
const GRACE_MS = 200;
const CLOSE_MS = 500;

const ONE_ANSWER = "A TCP connection carries one answer: streams, events and whatever is followed need a link";

/** Who calls with the token of the TCP door. */
const TCP_CALLER: Caller = { id: "tcp", kind: "gateway" };

/** Everything through which peers reach a hub: QUIC, a socket on this machine, and the simple TCP door. */
export class Doors {
  readonly #options: DoorsOptions;
  #quic: LinkListener | undefined;
  #socket: LinkListener | undefined;
  #tcp: TcpListener | undefined;

  constructor(options: DoorsOptions) {
    this.#options = options;
  }

  /** `host:port`, "" where there is no QUIC. */
  get quicAddress(): string {
    return this.#quic?.address ?? "";
  }

  /** `unix:/path`, "" where there is none. */
  get socketAddress(): string {
    return this.#socket?.address ?? "";
  }

  get tcpAddress(): string {
    return this.#tcp?.address ?? "";
  }

  /** @throws {HubError} when one of them cannot be opened; then none is open */
  async open(): Promise<void> {
    try {
      await this.#openQuic();
      await this.#openSocket();
      await this.#openTcp();
    } catch (reason) {
      await this.close();
      throw reason;
    }
  }

  /** Resolves when all of them are shut, and after half a second at the latest: no peer may hold up the end of the hub. */
  async close(): Promise<void> {
    const closed = Promise.all([this.#tcp?.close(), this.#quic?.close(GRACE_MS), this.#socket?.close(GRACE_MS)]);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([closed, late]);
    clearTimeout(timer);
    closed.catch(() => {});
  }

  async #openQuic(): Promise<void> {
    const { config, authority, log } = this.#options;
    const support = quicSupport();
    if (!support.ok) {
      // Plugins of our runtimes use inherited sockets and operators the local one, so the hub is of use all the same.
      if (this.#options.socketPath === undefined) throw new HubError(ErrorCode.Unimplemented, support.reason);
      log.write("warn", "hub", `No QUIC, so plugins that speak nothing else cannot run: ${support.reason}`);
      return;
    }
    const tls = await authority.leaf("orchestrator");
    const clientCertificates = config.allowAnonymousPeers ? "allow-anonymous" : "require";
    this.#quic = await listenQuic(
      config.listenAddr,
      { tls, clientCertificates, onRefused: this.#refused },
      this.#accept,
    );
    log.write("info", "hub", `orchestrator listening on ${this.quicAddress}`);
  }

  async #openSocket(): Promise<void> {
    const { socketPath, authority, log } = this.#options;
    if (socketPath === undefined) return;
    const tls = await authority.leaf("orchestrator");
    this.#socket = await listenSocket(`unix:${socketPath}`, { tls, onRefused: this.#refused }, this.#accept);
    log.write("debug", "hub", `listening on ${this.socketAddress}`);
  }

  async #openTcp(): Promise<void> {
    const { tcp } = this.#options.config;
    if (!tcp.enabled) return;
    const auth = tcp.tls
      ? { tls: await this.#options.authority.leaf("orchestrator") }
      : { token: readOrMakeToken(tcp.tokenFile) };
    this.#tcp = await listenTcp({
      address: tcp.addr,
      auth,
      answer: (payload, peer, gone) => this.#answerTcp(payload, peer, gone),
      onRefused: (why) => {
        this.#options.log.writeAbout("tcp", "warn", "hub", `Refused a TCP connection: ${why}`);
      },
    });
    this.#options.log.write("info", "hub", `listening for TCP on ${this.tcpAddress}`);
  }

  readonly #accept: AcceptLink = (link) => {
    const { caller, plugin } = this.#options.peers.identify(link.peer);
    return this.#options.peers.accept(link, caller, plugin);
  };

  readonly #refused = (reason: HubError, remote: string): void => {
    const what = `Refused a peer at ${remote || "this machine"}: ${reason.message}`;
    // One budget for all of them: whoever is refused can come back under another address.
    this.#options.log.writeAbout("refused", "warn", "hub", what);
  };

  async #answerTcp(payload: Uint8Array, peer: string, gone: AbortSignal): Promise<Uint8Array> {
    const { peers } = this.#options;
    const { kind, requestId } = peekOf(payload);
    const error = new HubError(ErrorCode.Unimplemented, ONE_ANSWER);
    const refusal = errorResponse(kind, requestId, error);
    if (kind === RequestKind.StreamStart || kind === RequestKind.Subscribe) return refusal;
    // Logs and entries can be followed, which the hub finds out when it looks into the request; a tool's progress is no answer.
    const mayFollow = kind === RequestKind.Control || kind === RequestKind.Kv;
    const link = new SingleCallLink(peer, "tcp", mayFollow ? refusal : undefined);
    gone.addEventListener("abort", () => link.abort(new HubError(ErrorCode.Cancelled, "The client hung up")));
    const { caller, plugin } = peer === "" ? { caller: TCP_CALLER, plugin: undefined } : peers.identify(peer);
    link.begin(peers.accept(link, caller, plugin), payload);
    return await link.response;
  }
}

function peekOf(payload: Uint8Array): { readonly kind: number; readonly requestId: string } {
  try {
    const peek = peekRequest(payload);
    return longName(peek) === undefined ? peek : { kind: peek.kind, requestId: "" };
  } catch {
    return { kind: RequestKind.None, requestId: "" };
  }
}
