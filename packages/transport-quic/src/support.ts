import { arch, platform } from "node:process";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { QuicEngine } from "./engine/engine.ts";
import { loadQuiche } from "./engine/quiche.ts";

export type QuicSupport = { readonly ok: true } | { readonly ok: false; readonly reason: string };

type Loaded = { readonly engine: QuicEngine } | { readonly reason: string };

/** Whether this machine can speak QUIC; `reason` is written for the operator. Never throws. */
export function quicSupport(): QuicSupport {
  const loaded = load();
  return "engine" in loaded ? { ok: true } : { ok: false, reason: loaded.reason };
}

/** @throws {HubError} `UNIMPLEMENTED` on a platform without the native part */
export function requireEngine(): QuicEngine {
  const loaded = load();
  if ("engine" in loaded) return loaded.engine;
  throw new HubError(ErrorCode.Unimplemented, loaded.reason);
}

/** The module loader keeps the native part, so asking again is cheap and there is no state to keep here. */
function load(): Loaded {
  try {
    return { engine: loadQuiche() };
  } catch (error) {
    const why = (error as Error).message.split("\n", 1)[0];
    return {
      reason:
        `QUIC is not available on ${platform}-${arch}: the native part of @matrixai/quic cannot be loaded (${why}). ` +
        "It exists for linux-x64 with glibc, macOS and win32-x64; if this is one of them, install again without omitting " +
        "optional dependencies. Elsewhere use plugins that speak over a socket or over file descriptor 3.",
    };
  }
}
