import type { PolicyRule } from "@orchestrator/config";
import { checkManifest, ErrorCode, HubError, type PluginManifest } from "@orchestrator/protocol";
import type { Link } from "@orchestrator/transport";
import type { EventBus } from "./event-bus.ts";
import type { HubLog } from "./hub-log.ts";
import type { PluginEntry } from "./plugin-entry.ts";
import { isReservedId } from "./plugin-ids.ts";
import { checkNeeds } from "./plugin-needs.ts";
import { type Caller, decide } from "./policy.ts";
import { Port, type PortOwner } from "./port.ts";

const OPERATOR = "orchestrator-operator";
/**
 * Certificates of gateways, by their exact names: the authority gives no plugin one of these. A name that merely looks like one
 * gains nothing, or a plugin that is no longer configured could come back as more than it was.
 */
const GATEWAYS: ReadonlySet<string> = new Set([
  "transport.stdio-client",
  "transport.quic-bridge-client",
  "transport.webtransport-client",
  "orchestrator-gateway",
]);

/** Ways for a link to end that are nobody's fault: the peer left, or the hub let it go. */
const ORDINARY_ENDS: ReadonlySet<string> = new Set([ErrorCode.Unavailable, ErrorCode.Cancelled]);
/** Far more than anybody needs; each costs memory, and those who wait for the end of the hub time. */
const MAX_LINKS_PER_PEER = 512;
/** What a manifest takes while it waits; hardly one is so large. */
const MANIFEST_BYTES = 1024 * 1024;
/** Subscriptions that the hub makes for a plugin by its manifest have ids that start with this. */
const NEEDS_PREFIX = "needs:";

export interface PeerRegistryOptions {
  readonly events: EventBus;
  readonly log: HubLog;
  readonly rules: readonly PolicyRule[];
  /** The configured plugin whose manifest has that id. */
  readonly findPlugin: (manifestId: string) => PluginEntry | undefined;
  readonly onRequest: PortOwner["request"];
}

/** Who is connected, and who that is. */
export class PeerRegistry {
  readonly #options: PeerRegistryOptions;
  readonly #ports = new Set<Port>();
  /** How many links each caller has. */
  readonly #links = new Map<string, number>();

  constructor(options: PeerRegistryOptions) {
    this.#options = options;
  }

  /** Links of peers that are no configured plugins. */
  get clientLinks(): number {
    let count = 0;
    for (const port of this.#ports) if (port.plugin === undefined) count += 1;
    return count;
  }

  /** Makes the hub's end of a link. */
  accept(link: Link, caller: Caller, plugin: PluginEntry | undefined): Port {
    const port = new Port(link, caller, plugin, {
      request: this.#options.onRequest,
      portClosed: (closed, error) => this.#closed(closed, error),
      portFailed: ({ caller: { id } }, error) => {
        this.#options.log.writeAbout(id, "error", "hub", `A call of "${id}" could not be served: ${error.message}`);
      },
    });
    this.#ports.add(port);
    const links = (this.#links.get(caller.id) ?? 0) + 1;
    this.#links.set(caller.id, links);
    if (links > MAX_LINKS_PER_PEER) {
      const what = `"${caller.id}" has ${MAX_LINKS_PER_PEER} connections already`;
      this.#options.log.writeAbout(caller.id, "warn", "hub", `Refused a peer: ${what}`);
      // The carrier is still about to hand the link over.
      queueMicrotask(() => link.abort(new HubError(ErrorCode.ResourceExhausted, what)));
    }
    return port;
  }

  /** Certificate name → who that is. Plugins carry `<id>-client` on their own connections. */
  identify(commonName: string): { caller: Caller; plugin: PluginEntry | undefined } {
    if (commonName === "") return { caller: { id: "anonymous", kind: "anonymous" }, plugin: undefined };
    if (commonName === OPERATOR) return { caller: { id: "operator", kind: "operator" }, plugin: undefined };
    const id = commonName.endsWith("-client") ? commonName.slice(0, -"-client".length) : commonName;
    if (GATEWAYS.has(commonName)) return { caller: { id, kind: "gateway" }, plugin: undefined };
    // Rules and plugins that know the operator or a gateway by that id must not take this peer for it.
    if (isReservedId(id)) return { caller: { id: `peer:${commonName}`, kind: "plugin" }, plugin: undefined };
    const plugin = this.#options.findPlugin(id);
    if (plugin !== undefined) return { caller: plugin.caller, plugin };
    return { caller: { id, kind: "plugin" }, plugin: undefined };
  }

  /** A plugin told its manifest on its own connection. @returns why that is refused, or "" */
  register(port: Port, manifest: PluginManifest): string {
    if (manifest.id !== port.caller.id) {
      return `the certificate is that of "${port.caller.id}", the manifest that of "${manifest.id}"`;
    }
    try {
      checkManifest(manifest);
      checkNeeds(manifest);
    } catch (reason) {
      return HubError.from(reason).message;
    }
    const { plugin } = port;
    if (plugin === undefined) return "";
    const accept = () => this.#accepted(plugin, port, manifest);
    if (plugin.handover.defers(port, accept, MANIFEST_BYTES)) return "";
    this.#accepted(plugin, port, manifest);
    return "";
  }

  #accepted(plugin: PluginEntry, port: Port, manifest: PluginManifest): void {
    const refused = plugin.register(manifest);
    for (const other of this.#ports) if (other.plugin === plugin) other.targets.clear();
    this.#subscribeToNeeds(plugin, port);
    const { log } = this.#options;
    log.write("debug", plugin.id, `registered as ${manifest.id} ${manifest.version} (${manifest.language})`);
    if (refused.length > 0) log.write("warn", plugin.id, refusedNeeds(refused));
  }

  /** A plugin hears events on the link that the hub calls it on; another peer on its own, if it said that it listens there. */
  eventRoute(port: Port): () => Port | undefined {
    const { plugin } = port;
    if (plugin !== undefined) return () => plugin.link;
    return () => (port.acceptsCalls && port.link.isOpen ? port : undefined);
  }

  /** Another instance serves: what the one before listened to is no longer wanted, what waits to be delivered is. */
  pluginReplaced(plugin: PluginEntry): void {
    this.#options.events.removeSubscriptions(plugin, () => true);
  }

  /** The plugin's process is gone, or is about to go: a new one starts with no subscriptions but its own. */
  pluginGone(plugin: PluginEntry): void {
    this.#options.events.removeSubscriber(plugin);
  }

  /** It is switched off, or no longer configured: what it may do ends on every connection that was made in its name. */
  dropLinks(plugin: PluginEntry): void {
    const reason = new HubError(
      ErrorCode.Unavailable,
      `Plugin "${plugin.id}" is switched off, or its entry has changed`,
    );
    for (const port of [...this.#ports]) if (port.plugin === plugin) port.link.abort(reason);
  }

  abortAll(reason: HubError): void {
    for (const port of [...this.#ports]) port.link.abort(reason);
  }

  /** What the manifest needs now, in place of what an earlier one needed. */
  #subscribeToNeeds(plugin: PluginEntry, port: Port): void {
    const { events, rules } = this.#options;
    events.removeSubscriptions(plugin, (id) => id.startsWith(NEEDS_PREFIX));
    const allows = (topic: string) => decide(plugin.caller, plugin.needs, "event", topic, rules).allowed;
    for (const topic of new Set(plugin.needs.events)) {
      events.subscribe(plugin, {
        name: plugin.id,
        route: this.eventRoute(port),
        id: `${NEEDS_PREFIX}${topic}`,
        topic,
        isPattern: topic.includes("*"),
        allows,
      });
    }
  }

  #closed(port: Port, error: HubError | undefined): void {
    if (!this.#ports.delete(port)) return;
    const { id } = port.caller;
    const links = (this.#links.get(id) ?? 0) - 1;
    if (links > 0) this.#links.set(id, links);
    else this.#links.delete(id);
    const isOrdinary = error !== undefined && ORDINARY_ENDS.has(error.code);
    // Each command of the operator is a link of its own: its end is no news, least of all to one who asks for the log.
    if (error !== undefined && !(isOrdinary && port.caller.kind === "operator")) {
      const level = isOrdinary ? "debug" : "warn";
      this.#options.log.writeAbout(id, level, "hub", `The link of "${id}" ended: ${error.message}`);
    }
    if (port.plugin === undefined) this.#options.events.removeSubscriber(port);
    else if (!this.#isConnected(port.plugin)) this.pluginGone(port.plugin);
  }

  #isConnected(plugin: PluginEntry): boolean {
    for (const port of this.#ports) if (port.plugin === plugin) return true;
    return false;
  }
}

/** One line for people: what a plugin asked for beyond what it had said, and what to do. */
export function refusedNeeds(refused: readonly string[]): string {
  const shown = refused.slice(0, 5).join(", ");
  const more = refused.length > 5 ? ` and ${refused.length - 5} more` : "";
  const mend =
    "If the program was updated, restart the plugin; else set the list in its entry of the config to grant it";
  return `asked for more than its program had said that it needs; not granted: ${shown}${more}. ${mend}`;
}
