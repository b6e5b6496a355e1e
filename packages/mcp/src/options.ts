import type { McpBackend } from "./backend.ts";
import type { ServerInfo } from "./initialize.ts";
import type { RequestId } from "./jsonrpc.ts";
import type { Limits } from "./limits.ts";
import type { Schedule } from "./list-changes.ts";

export interface McpSessionOptions {
  readonly backend: McpBackend;
  readonly info: ServerInfo;
  /**
   * Takes one message for the client: JSON without a line break. `about` names the request that it answers or reports on, for
   * carriers that answer each request on a stream of its own; it is undefined for what concerns no single request.
   * Must not throw.
   */
  readonly send: (text: string, about: RequestId | undefined) => void;
  /** True while the client reads more slowly than we write. Progress and log messages are then left out; answers never are. */
  readonly congested?: (() => boolean) | undefined;
  /** Diagnostics for the operator. */
  readonly log?: ((level: "debug" | "info" | "warn" | "error", message: string) => void) | undefined;
  /** A timer, to gather list changes that come in a burst. Without one they are gathered within one turn. */
  readonly schedule?: Schedule | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Makes session ids. They name the holder of locks, so nobody should be able to guess one. */
  readonly newSessionId?: (() => string) | undefined;
}

/** One client's conversation. */
export interface McpSession {
  /** Takes one message: JSON text, or what a parser made of it. Never throws; answers come through `send`. */
  receive(message: unknown): void;
  /** Says that a message came which the carrier could not hand over: too long for it, or no text at all. */
  refuse(reason: string): void;
  /** "" until the client has initialized. */
  readonly sessionId: string;
  /** Resolves once no request is under way. */
  idle(): Promise<void>;
  /** Cancels what is under way; nothing is sent any more. Repeatable. */
  close(): void;
}
