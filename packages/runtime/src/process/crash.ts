import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Log } from "../log.ts";

/**
 * Takes what nobody caught, from anywhere in the process: it is logged, and `die` decides what becomes of the calls in
 * flight. The process cannot go on, because nobody knows what was left half done; a supervisor starts it again.
 */
export function onCrash(log: Log, die: (reason: HubError) => void): void {
  const crash = (what: string) => (error: unknown) => {
    log.error(`${what}: ${HubError.from(error).message}`, { error });
    die(new HubError(ErrorCode.Internal, `The plugin crashed: ${HubError.from(error).message}`));
  };
  process.on("uncaughtException", crash("Uncaught exception"));
  process.on("unhandledRejection", crash("Unhandled rejection"));
}
