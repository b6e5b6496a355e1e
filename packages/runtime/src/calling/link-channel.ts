import {
  createIdSource,
  createSlabAllocator,
  ErrorCode,
  fromWireError,
  HubError,
  type PluginManifest,
} from "@orchestrator/protocol";
import { Deadlines } from "@orchestrator/transport";
import { type Limits, LimitWatch, limitsOf, ROOT_SCOPE } from "./call-scope.ts";
import { exchangeRaw, type HubChannel } from "./exchange.ts";
import type { OutgoingCalls } from "./outgoing-calls.ts";

/**
 * Where a plugin's own calls go while links come and go. Calls made while there is no link wait for the next one, as long as
 * their deadline allows; calls that were on a link when it broke are over, since they may have run.
 */
export class LinkChannel implements HubChannel {
  readonly ids = createIdSource();
  readonly deadlines = new Deadlines();
  readonly allocate = createSlabAllocator();
  #calls: OutgoingCalls | undefined;
  #closed: HubError | undefined;
  readonly #waiting = new Set<PromiseWithResolvers<OutgoingCalls>>();

  get current(): OutgoingCalls | undefined {
    return this.#calls?.link.isOpen === true ? this.#calls : undefined;
  }

  async ready(limits: Limits): Promise<OutgoingCalls> {
    if (this.current !== undefined) return this.current;
    if (this.#closed !== undefined) throw this.#closed;
    const waiter = Promise.withResolvers<OutgoingCalls>();
    this.#waiting.add(waiter);
    const watch = new LimitWatch(limits, this.deadlines, (reason) => waiter.reject(withHint(reason)));
    try {
      return await waiter.promise;
    } finally {
      watch.end();
      this.#waiting.delete(waiter);
    }
  }

  /** From now on calls go over this link. */
  use(calls: OutgoingCalls): void {
    this.#calls = calls;
    for (const waiter of this.#waiting) waiter.resolve(calls);
  }

  /** No link will come any more: everything that waits, and everything from now on, fails with `reason`. */
  close(reason: HubError): void {
    this.#closed ??= reason;
    this.#calls = undefined;
    for (const waiter of this.#waiting) waiter.reject(reason);
  }
}

/** What a hub made of a registration. */
export type Registration = "accepted" | { readonly refused: string };

/**
 * Says over a fresh link what the plugin is. Existing hosts answer with whatever they have; only a clear no is a no.
 * @throws {HubError} where the link broke, nothing came in time or the hub cannot say yet: worth another attempt
 */
export async function register(calls: OutgoingCalls, manifest: PluginManifest): Promise<Registration> {
  const own = { ids: createIdSource(), deadlines: new Deadlines(), allocate: (bytes: number) => new Uint8Array(bytes) };
  const channel: HubChannel = { ...own, current: calls, ready: () => Promise.resolve(calls) };
  const request = { $case: "register", value: manifest } as const;
  const limits = limitsOf(ROOT_SCOPE, { timeoutMs: REGISTER_TIMEOUT_MS });
  const question = { request, scope: ROOT_SCOPE, limits, acceptsCalls: true };
  const answer = await exchangeRaw(channel, question, (response) => response);
  if (answer.response?.$case !== "register" || answer.response.value.accepted) return "accepted";
  const failure = answer.error && fromWireError(answer.error);
  if (failure?.retryable) throw failure;
  return { refused: answer.response.value.rejectReason || failure?.message || "it gave no reason" };
}

const REGISTER_TIMEOUT_MS = 10_000;

function withHint(reason: HubError): HubError {
  if (reason.code !== ErrorCode.DeadlineExceeded) return reason;
  return new HubError(ErrorCode.Unavailable, "There was no connection to the hub before the deadline", {
    cause: reason,
  });
}
