import type { PluginConfig } from "@orchestrator/config";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { Circuit } from "./circuit.ts";
import { shortened } from "./printable.ts";
import type { RelayedCall } from "./relayed-call.ts";

/** Who waits no longer than this learns little about the plugin. */
const LEAST_PATIENCE_MS = 1_000;
/** Of what went wrong last, so much is told. */
const MAX_WORDS = 300;

/** What becomes of a circuit, for the fleet. */
export interface CircuitEvent {
  readonly type: "circuit_opened" | "circuit_closed";
  readonly details: Readonly<Record<string, string | number>>;
}

/**
 * The circuits of one plugin, one for each of its callers: what a caller asks for, and how long it waits, is its own choice, so
 * what comes of it must not shut out anybody else.
 */
export class Circuits {
  /** Hears when one opens, and when it closes. */
  onEvent: ((event: CircuitEvent) => void) | undefined;
  readonly #config: Pick<PluginConfig, "id" | "circuit" | "callTimeoutMs">;
  readonly #circuits = new Map<string, Circuit>();

  constructor(config: Pick<PluginConfig, "id" | "circuit" | "callTimeoutMs">) {
    this.#config = config;
  }

  /** The same one for every connection of a caller. */
  of(caller: string): Circuit {
    let circuit = this.#circuits.get(caller);
    if (circuit === undefined) {
      circuit = new Circuit(caller, this.#config.circuit);
      this.#circuits.set(caller, circuit);
    }
    return circuit;
  }

  /** What is wrong now, one sentence for each that is open. */
  get troubles(): string[] {
    return [...this.#circuits.values()].filter(({ isOpen }) => isOpen).map(troubleOf);
  }

  /** @returns why a call cannot be made now, if it cannot */
  refusal(circuit: Circuit, nowMs: number): HubError | undefined {
    const waitMs = Math.ceil(circuit.waitMs(nowMs));
    if (waitMs === 0) return undefined;
    const next = circuit.isTrying ? "one is under way to see whether it does now" : `the next is due in ${waitMs} ms`;
    return new HubError(ErrorCode.Unavailable, `Plugin "${this.#config.id}" has given ${troubleOf(circuit)}; ${next}`);
  }

  /** A call went wrong on the plugin's side. It counts where that is the fault of the instance that serves. */
  failed(call: RelayedCall, error: HubError): void {
    const { circuit } = call.target;
    if (!this.#isToBlame(call, error)) return;
    if (!circuit.failed(call, shortened(error.message, MAX_WORDS), performance.now())) return;
    const { failures, caller } = circuit;
    const retryMs = this.#config.circuit.coolDownMs;
    this.onEvent?.({ type: "circuit_opened", details: { reason: troubleOf(circuit), caller, failures, retryMs } });
  }

  /** A call is over, or has given a sign of life. Due where its circuit has counted failures. */
  ended(call: RelayedCall, isProper: boolean, nowMs: number): void {
    const { circuit, plugin } = call.target;
    // What an instance does that another one has taken over from is nothing to that one.
    if (isProper && call.callee === plugin.link) this.#close(circuit, "a call was answered");
    else circuit.left(call, nowMs);
  }

  /** Whatever was counted is over. */
  close(reason: string): void {
    for (const circuit of this.#circuits.values()) this.#close(circuit, reason);
  }

  #close(circuit: Circuit, reason: string): void {
    const { caller } = circuit;
    if (circuit.answered()) this.onEvent?.({ type: "circuit_closed", details: { reason, caller } });
  }

  #isToBlame({ callee, target, timeoutMs, renewedAt }: RelayedCall, { code, cause }: HubError): boolean {
    // A link that is lost is the supervisor's business.
    if (callee !== target.plugin.link || !callee.link.isOpen) return false;
    switch (code) {
      case ErrorCode.Protocol:
      case ErrorCode.FrameTooLarge:
        return true;
      case ErrorCode.Unavailable:
        // Nor is it a fault of its answers when nobody listens on its socket.
        return (cause as NodeJS.ErrnoException | undefined)?.syscall !== "connect";
      case ErrorCode.DeadlineExceeded: {
        // One that answers other calls meanwhile has much to do, or to do this one takes long.
        const isIdle = renewedAt >= target.circuit.answeredAtMs;
        return isIdle && timeoutMs >= Math.min(LEAST_PATIENCE_MS, this.#config.callTimeoutMs);
      }
      default:
        return false;
    }
  }
}

/** Completes "Plugin X has given …". */
function troubleOf({ failures, caller, lastFailure }: Circuit): string {
  return `no proper answer to the last ${failures} calls of "${caller}" (last: ${lastFailure})`;
}
