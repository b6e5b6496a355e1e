import { ErrorCode, HubError, MAX_FRAME_BYTES } from "@orchestrator/protocol";
import type { LinkHandler } from "@orchestrator/transport";
import type { EngineConnection } from "../engine/engine.ts";

/** What the link asks of the connection that carries it. */
export interface Wire {
  readonly engine: EngineConnection;
  readonly role: "client" | "server";
  readonly remoteAddress: string;
  /** Something was written: send it once this turn of the event loop has done its work. */
  changed(): void;
  /** Asks the peer for a sign of life, which acknowledges what it has received. */
  ping(): void;
  /** Closes the connection and sends what that takes; the link hears nothing more. */
  close(code: number, text: string): void;
}

export interface LinkLimits {
  /** Calls that the peer may have open at once. */
  readonly maxConcurrentCalls: number;
  /** How long a peer that was answered may take to end its own direction. */
  readonly lingerMs: number;
}

/** `accept` may end the link before it has returned its handler. */
export const UNTIL_SERVED: LinkHandler = {
  request: () => {},
  message: () => {},
  cancelled: () => {},
  drained: () => {},
  closed: () => {},
};
export const EMPTY = new Uint8Array(0);

/** @throws {HubError} `FRAME_TOO_LARGE` */
export function checkSize(payload: Uint8Array): void {
  if (payload.length <= MAX_FRAME_BYTES) return;
  throw new HubError(
    ErrorCode.FrameTooLarge,
    `Cannot send message: ${payload.length} bytes, the limit is ${MAX_FRAME_BYTES}`,
  );
}
