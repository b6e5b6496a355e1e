import { checkManifest, HubError, type PluginManifest } from "@orchestrator/protocol";
import type { Link } from "@orchestrator/transport";
import type { EventBus } from "./event-bus.ts";
import type { HubLog } from "./hub-log.ts";
import { subscriberKey } from "./local-answers.ts";
import type { PluginEntry } from "./plugin-entry.ts";
import type { Caller } from "./policy.ts";
import { Port, type PortOwner } from "./port.ts";

const OPERATOR = "orchestrator-operator";
/**
 * Certificates of gateways, by their exact names: the authority gives no plugin one of these. A name that merely looks like one
 * gains nothing, or a plugin that is no longer configured could come back as more than it was.
 */
const GATEWAYS: ReadonlySet<string> = new Set(["transport.stdio-client", "orchestrator-gateway"]);

export interface PeerRegistryOptions {
  readonly events: EventBus;
  readonly log: HubLog;
  /** The configured plugin whose manifest has that id. */
  readonly findPlugin: (manifestId: string) => PluginEntry | undefined;
  readonly onRequest: PortOwner["request"];
}

/** Who is connected, and who that is. */
export class PeerRegistry {
  readonly #options: PeerRegistryOptions;
  readonly #ports = new Set<Port>();

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
      portFailed: (failed, error) => {
        this.#options.log.write(
          "error",
          "hub",
          `A call of "${failed.caller.id}" could not be served: ${error.message}`,
        );
      },
    });
    this.#ports.add(port);
    return port;
  }

  /** Certificate name → who that is. Plugins carry `<id>-client` on their own connections. */
  identify(commonName: string): { caller: Caller; plugin: PluginEntry | undefined } {
    if (commonName === "") return { caller: { id: "anonymous", kind: "anonymous" }, plugin: undefined };
    if (commonName === OPERATOR) return { caller: { id: "operator", kind: "operator" }, plugin: undefined };
    const id = commonName.endsWith("-client") ? commonName.slice(0, -"-client".length) : commonName;
    const plugin = this.#options.findPlugin(id);
    if (plugin !== undefined) return { caller: plugin.caller, plugin };
    const kind = GATEWAYS.has(commonName) ? "gateway" : "plugin";
    return { caller: { id, kind }, plugin: undefined };
  }

  /** A plugin told its manifest on its own connection. @returns why that is refused, or "" */
  register(port: Port, manifest: PluginManifest): string {
    if (manifest.id !== port.caller.id) {
      return `the certificate is that of "${port.caller.id}", the manifest that of "${manifest.id}"`;
    }
    try {
      checkManifest(manifest);
    } catch (reason) {
      return HubError.from(reason).message;
    }
    const { plugin } = port;
    if (plugin === undefined) return "";
    plugin.manifest = manifest;
    for (const other of this.#ports) if (other.plugin === plugin) other.decisions.clear();
    for (const topic of plugin.needs.events) {
      this.#options.events.subscribe(plugin.id, this.eventRoute(port), `needs:${topic}`, topic, {});
    }
    this.#options.log.write(
      "debug",
      plugin.id,
      `registered as ${manifest.id} ${manifest.version} (${manifest.language})`,
    );
    return "";
  }

  /** A plugin hears events on the link that the hub calls it on; another peer on its own, if it said that it listens there. */
  eventRoute(port: Port): () => Port | undefined {
    const { plugin } = port;
    if (plugin !== undefined) return () => plugin.link;
    return () => (port.acceptsCalls && port.link.isOpen ? port : undefined);
  }

  abortAll(reason: HubError): void {
    for (const port of [...this.#ports]) port.link.abort(reason);
  }

  #closed(port: Port, error: HubError | undefined): void {
    this.#ports.delete(port);
    if (error !== undefined)
      this.#options.log.write("debug", "hub", `The link of "${port.caller.id}" ended: ${error.message}`);
    if (port.plugin === undefined) this.#options.events.removeSubscriber(subscriberKey(port));
  }
}
