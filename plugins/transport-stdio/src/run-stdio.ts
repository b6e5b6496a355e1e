import type { Readable, Writable } from "node:stream";
import type { ServerInfo } from "@orchestrator/mcp";
import { HubError } from "@orchestrator/protocol";
import type { LinkPeer, TlsMaterial } from "@orchestrator/transport";
import { createHubBackend, type HubBackend } from "./backend/hub-backend.ts";
import type { BackoffOptions } from "./hub/backoff.ts";
import { CAPABILITIES_TOPIC, PLUGINS_TOPIC, serveEvents, subscribe } from "./hub/events.ts";
import { type Connect, HubConnection } from "./hub/hub-connection.ts";
import { quicConnect } from "./hub/quic-connect.ts";
import { type StdioEnd, type StdioLog, serveStreams } from "./serve-streams.ts";

/** Where the hub is: a QUIC address and who we are there, or any other way to make a link to it. */
export type HubTarget =
  | {
      /** `host:port`. */
      readonly address: string;
      /** A function is asked again for each attempt: certificates are renewed while a gateway runs. */
      readonly tls: TlsMaterial | (() => Promise<TlsMaterial>);
    }
  | { readonly connect: Connect };

export type StdioOptions = HubTarget & {
  readonly input: Readable;
  readonly output: Writable;
  readonly log: StdioLog;
  /** How soon a lost hub is tried for again. */
  readonly reconnect?: BackoffOptions | undefined;
  /** Longest that one tool call may take. Default 120 s. */
  readonly callTimeoutMs?: number | undefined;
  /** Longest line of input. Default 10 MiB. */
  readonly maxLineBytes?: number | undefined;
  /** Ends the run at once; calls under way are cancelled. */
  readonly signal?: AbortSignal | undefined;
  /** What the server says of itself. */
  readonly info?: Partial<ServerInfo> | undefined;
};

export const DEFAULT_CALL_TIMEOUT_MS = 120_000;
/**
 * Serves one Model Context Protocol client on a pair of streams until its input ends. Calls under way are then waited for.
 * @throws {HubError} where the hub cannot be reached at the start; a hub that is lost later is waited for
 */
export async function runStdio(options: StdioOptions): Promise<StdioEnd> {
  const { log, signal, callTimeoutMs = DEFAULT_CALL_TIMEOUT_MS } = options;
  const connection = new HubConnection({
    connect: "connect" in options ? options.connect : quicConnect(options.address, options.tls),
    serve: serveEvents((event) => backend.event(event)),
    onUp: (peer) => {
      backend.say("notice", "The hub is connected");
      void listen(peer, backend, log);
    },
    onDown: (reason) => {
      log("warn", reason);
      backend.say("error", `${reason}; calls fail until it is back`);
    },
    onRetry: (error) => log("debug", `The hub is still away: ${error.message}`),
    backoff: options.reconnect,
  });
  const backend = createHubBackend(connection, { callTimeoutMs });
  const stop = () => void connection.close();
  signal?.addEventListener("abort", stop);
  try {
    if (signal?.aborted === true) return "aborted";
    await connection.start();
    return await serveStreams({ ...options, backend });
  } catch (reason) {
    if (signal?.aborted === true) return "aborted";
    throw reason;
  } finally {
    signal?.removeEventListener("abort", stop);
    await connection.close();
  }
}

/** A new link: the hub must be told (again) what we want to hear, and whatever it said meanwhile was lost. */
async function listen(peer: LinkPeer, backend: HubBackend, log: StdioLog): Promise<void> {
  log("info", `Connected to the hub at ${peer.link.remoteAddress}`);
  const topics = [CAPABILITIES_TOPIC, PLUGINS_TOPIC].map(async (topic) => {
    try {
      await subscribe(peer, topic);
    } catch (reason) {
      if (peer.link.isOpen) log("info", `Changes will go unnoticed: ${HubError.from(reason).message}`);
    }
  });
  await Promise.all(topics);
  if (peer.link.isOpen && backend.listed) backend.changed();
}
