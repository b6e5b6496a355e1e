import { RequestKind, type RequestPeek } from "@orchestrator/protocol";
import type { PluginEntry } from "./plugin-entry.ts";

/** The longest deadline that a caller may ask for. */
const MAX_TIMEOUT_MS = 86_400_000;
/** A stream whose caller set no deadline may be silent this long. */
const STREAM_IDLE_MS = 300_000;

/** How long a request may take, in milliseconds. */
export function timeoutOf(peek: RequestPeek, plugin: PluginEntry): number {
  if (peek.timeoutMs > 0) return Math.min(peek.timeoutMs, MAX_TIMEOUT_MS);
  return peek.kind === RequestKind.StreamStart ? STREAM_IDLE_MS : plugin.config.callTimeoutMs;
}
