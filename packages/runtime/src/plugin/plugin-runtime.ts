import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { AcceptLink, Link } from "@orchestrator/transport";
import { type CallScope, ROOT_SCOPE } from "../calling/call-scope.ts";
import { type HubClientParts, ScopedHubClient } from "../calling/hub-client.ts";
import { LinkChannel, register } from "../calling/link-channel.ts";
import { OutgoingCalls } from "../calling/outgoing-calls.ts";
import { Subscriptions } from "../calling/subscriptions.ts";
import type { PluginEvent } from "../definition.ts";
import type { HubClient } from "../hub-client.ts";
import type { Log } from "../log.ts";
import { ServedContext } from "../serving/call-context.ts";
import { PluginServer } from "../serving/plugin-server.ts";
import type { RequestValue } from "../serving/request-kind.ts";
import { encodeCatalogue } from "./catalogue.ts";
import type { CompiledPlugin } from "./compile.ts";

/** Longest that handlers get to stop once their calls are aborted. */
const ABORT_GRACE_MS = 500;

/** One plugin at work, on whatever links it is given: serves its host, makes its own calls, and stops well. */
export class PluginRuntime {
  readonly plugin: CompiledPlugin;
  readonly log: Log;
  /** Where the plugin's own calls go. */
  readonly channel = new LinkChannel();
  readonly server: PluginServer;
  readonly subscriptions: Subscriptions;
  /** Calls that belong to no call being served. */
  readonly hub: HubClient;
  /** Resolves once the plugin was shut down: true for one that was asked to, and whose hook ran without a fault. */
  readonly stopped: Promise<boolean>;
  readonly #stopped = Promise.withResolvers<boolean>();
  #stopping: Promise<boolean> | undefined;
  #isRefused = false;

  constructor(plugin: CompiledPlugin, log: Log) {
    this.plugin = plugin;
    this.log = log;
    this.stopped = this.#stopped.promise;
    this.subscriptions = new Subscriptions(this.channel, log);
    const parts: HubClientParts = {
      channel: this.channel,
      subscriptions: this.subscriptions,
      pluginId: plugin.manifest.id,
    };
    this.hub = new ScopedHubClient(parts, ROOT_SCOPE);
    const hubFor = (scope: CallScope) => new ScopedHubClient(parts, scope);
    this.server = new PluginServer({
      plugin,
      log,
      hub: this.hub,
      catalogue: encodeCatalogue(plugin),
      context: (call) => new ServedContext(call, hubFor),
      deliver: (event, traceParent) => this.#deliver(event, hubFor({ ...ROOT_SCOPE, traceParent })),
      shutdown: (budgetMs) => this.stop(budgetMs),
    });
  }

  /**
   * Serves over one link on which both sides ask, and makes the plugin's own calls over it; for hosts that hand the plugin a
   * link instead of an address. Registers by itself.
   */
  readonly accept: AcceptLink = (link: Link) => {
    const calls = new OutgoingCalls(link);
    // A carrier asks for the handler before the link can be used.
    queueMicrotask(() => void this.#registerOver(calls));
    return calls.over(this.server.accept(link), (error) => {
      this.channel.close(error ?? new HubError(ErrorCode.Unavailable, "The hub closed the link"));
      void this.stop(0);
    });
  };

  /** True once `stop` was called. */
  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /**
   * Waits for calls in flight, aborts those that last longer than the budget, runs the plugin's hook. However often it is
   * called, all of that happens once. Never rejects.
   * @returns whether nothing was cut off
   */
  stop(budgetMs: number): Promise<boolean> {
    this.#stopping ??= this.#stop(budgetMs);
    return this.#stopping;
  }

  async #stop(budgetMs: number): Promise<boolean> {
    const clean = await settlesWithin(this.server.idle(), Math.max(0, budgetMs - 2 * ABORT_GRACE_MS));
    this.server.refuseWork();
    if (!clean) {
      this.server.abortCalls(new HubError(ErrorCode.Unavailable, `Plugin "${this.plugin.manifest.id}" is stopping`));
      await settlesWithin(this.server.idle(), ABORT_GRACE_MS);
    }
    const isPutAway = await this.#runHook();
    this.#stopped.resolve(isPutAway && !this.#isRefused);
    return clean && isPutAway;
  }

  async #runHook(): Promise<boolean> {
    try {
      await this.plugin.definition.shutdown?.();
      return true;
    } catch (error) {
      this.log.error(`The shutdown hook failed: ${HubError.from(error).message}`, { error });
      return false;
    }
  }

  async #registerOver(calls: OutgoingCalls): Promise<void> {
    try {
      const registration = await register(calls, this.plugin.manifest);
      if (registration === "accepted") return this.channel.use(calls);
      this.log.error(`The hub refused the plugin: ${registration.refused}`);
      this.#isRefused = true;
      void this.stop(0);
    } catch (error) {
      const { message } = HubError.from(error);
      // A hub that is too busy to answer this may well answer calls; there is no other link to try.
      if (calls.link.isOpen) this.channel.use(calls);
      this.log.warn(`The hub did not answer the registration: ${message}`);
    }
  }

  async #deliver(wire: RequestValue<"publish">, hub: HubClient): Promise<void> {
    const event: PluginEvent = {
      topic: wire.topic,
      type: wire.eventType,
      payload: wire.payload,
      source: wire.sourcePlugin,
      timestampMs:
        wire.timestamp === undefined ? 0 : wire.timestamp.seconds * 1000 + Math.floor(wire.timestamp.nanos / 1e6),
      subscriptionId: wire.subscriptionId,
    };
    const { definition } = this.plugin;
    const isMeantForAll = definition.needs?.events?.includes(event.topic) === true && wire.subscriptionId === "";
    const isTaken = this.subscriptions.deliver(wire, event);
    if (isTaken && !isMeantForAll) return;
    try {
      // The answer waits for the handler, so that a hub does not send more than the plugin can take.
      await definition.onEvent?.(event, hub);
    } catch (error) {
      this.log.error(`The handler of event "${event.type}" failed: ${HubError.from(error).message}`, { error });
    }
  }
}

/** @returns whether the promise settled in time; the timer does not outlive it */
async function settlesWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
