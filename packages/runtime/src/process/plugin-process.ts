import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { AcceptLink, Link, LinkListener } from "@orchestrator/transport";
import { HubLink } from "../calling/hub-link.ts";
import type { PluginRuntime } from "../plugin/plugin-runtime.ts";
import type { Flags } from "./flags.ts";
import type { HostPeers } from "./host-peers.ts";
import type { Parent } from "./parent.ts";

/** How long calls in flight get when a signal ends the process: hosts follow up with SIGKILL after two seconds. */
const SIGNAL_BUDGET_MS = 1_500;
/** How long what is on its way gets to leave before the process ends. */
const FLUSH_MS = 300;
/** A hub that is not there at first may still be starting; one that is not there for this long is the wrong address. */
const FIRST_CONTACT_MS = 30_000;
/** How long a hub may take to say that it lives, once the parent is gone: one on a machine that stands still for seconds lives too. */
const PROBE_MS = 10_000;

/** The endings of a plugin process, and the two connections that it holds meanwhile. */
export class PluginProcess {
  readonly #runtime: PluginRuntime;
  readonly #flags: Flags;
  readonly #peers: HostPeers;
  readonly #probeMs: number;
  readonly #startedAtMs = Date.now();
  #listener: LinkListener | undefined;
  #hubLink: HubLink | undefined;
  #inherited: Link | undefined;
  #signals = 0;
  #ending: Promise<never> | undefined;

  /** @param probeMs how long a hub may take to say that it lives, once the parent is gone */
  constructor(runtime: PluginRuntime, flags: Flags, peers: HostPeers, probeMs = PROBE_MS) {
    this.#runtime = runtime;
    this.#flags = flags;
    this.#peers = peers;
    this.#probeMs = probeMs;
    void runtime.stopped.then((isPutAway) => this.end(isPutAway ? 0 : 1));
  }

  /** Serves over the socket that the hub handed down as a descriptor: no certificates, no ports. Its end is the hub's end. */
  async inherit(fd: number): Promise<void> {
    const { openFdLink } = await import("@orchestrator/transport-socket");
    this.#inherited = openFdLink(fd, "orchestrator", this.#runtime.accept);
  }

  /** Opens the door for hosts and tells them where it is. */
  async listen(): Promise<void> {
    const { loadMaterial, listenQuic } = await quic();
    const { listenAddr, certsDir } = this.#flags;
    const tls = await loadMaterial(certsDir, this.#runtime.plugin.manifest.id);
    const clientCertificates = this.#peers.allowAnonymous ? "allow-anonymous" : "require";
    const accept: AcceptLink = (link) => this.#runtime.server.accept(link, this.#peers.refusal(link.peer));
    const listener = await listenQuic(listenAddr, { tls, clientCertificates }, accept);
    this.#listener = listener;
    process.stderr.write(`READY ${listener.address}\n`);
  }

  /** Connects to the hub, and stays connected for as long as there is one or the parent lives. */
  connect(parent: Parent): void {
    const { log, plugin, channel, subscriptions, server, hub } = this.#runtime;
    const address = this.#flags.orchestratorAddr;
    const link = new HubLink({
      channel,
      manifest: plugin.manifest,
      log,
      accept: (accepted) => server.accept(accepted, this.#peers.refusal(accepted.peer)),
      dial: (accept, signal) => this.#dial(address, accept, signal),
      onRegistered: () => {
        log.info(`Registered with the hub at ${address}`);
        void subscriptions.renew();
      },
      onDown: (reason, everRegistered) => {
        if (parent.isGone) return this.leave("the hub and the process that started it are gone");
        if (everRegistered || Date.now() - this.#startedAtMs < FIRST_CONTACT_MS) return;
        log.error(`Gave up on the hub at ${address}: ${reason.message}`);
        void this.end(1);
      },
      onRefused: (reason) => {
        log.error(`The hub at ${address} refused the plugin: ${reason}`);
        void this.end(1);
      },
    });
    this.#hubLink = link;
    void link.run();
    parent.onGone(async () => {
      // A wrapper may have started the plugin and ended; what counts is the hub. Its silence counts too: a process that was
      // killed takes no leave.
      if (link.isUp && (await answers(hub.health({ timeoutMs: this.#probeMs })))) return;
      this.leave("the process that started it is gone");
    });
  }

  /** The first signal asks, the next one does not. */
  onSignal(): void {
    this.#signals++;
    if (this.#signals > 1) process.exit(1);
    const { server } = this.#runtime;
    // A shutdown that takes its time is under way already.
    if (this.#runtime.isStopping) server.abortCalls(new HubError(ErrorCode.Unavailable, "The plugin is stopping"));
    void this.#runtime.stop(SIGNAL_BUDGET_MS);
  }

  /** Ends because nobody needs the plugin any more. */
  leave(why: string): void {
    if (this.#runtime.isStopping) return;
    this.#runtime.log.info(`Plugin "${this.#runtime.plugin.manifest.id}" ends: ${why}`);
    void this.#runtime.stop(SIGNAL_BUDGET_MS);
  }

  /** Ends because something broke: calls in flight are answered with the reason. */
  die(reason: HubError): void {
    this.#runtime.server.refuseWork();
    this.#runtime.server.failCalls(reason);
    void this.end(1);
  }

  /** Lets answers leave, then ends the process. The first caller's code counts. */
  end(code: number): Promise<never> {
    this.#ending ??= this.#end(code);
    return this.#ending;
  }

  async #end(code: number): Promise<never> {
    // Neither of them may keep a process alive that is to end.
    const guard = setTimeout(() => process.exit(code), 2 * FLUSH_MS);
    await Promise.allSettled([
      this.#listener?.close(FLUSH_MS),
      this.#hubLink?.stop(FLUSH_MS),
      this.#inherited?.close(FLUSH_MS),
    ]);
    clearTimeout(guard);
    process.exit(code);
  }

  async #dial(address: string, accept: AcceptLink, signal: AbortSignal): Promise<Link> {
    const { id } = this.#runtime.plugin.manifest;
    const { loadMaterial, dialQuic } = await quic();
    // Read anew each time: the hub may have renewed the certificate since.
    const tls = await loadMaterial(this.#flags.certsDir, `${id}-client`);
    const link = await dialQuic(address, { tls, signal }, accept);
    // Whoever sits on a hub's old port with a plugin's certificate gets nothing.
    const refusal = this.#peers.refusal(link.peer);
    if (refusal === undefined) return link;
    link.abort(refusal);
    throw new HubError(refusal.code, `Who answers at ${address} is not a hub: ${refusal.message}`);
  }
}

/** Certificates and QUIC take time and memory that a plugin with an inherited socket never needs. */
async function quic() {
  const [{ loadMaterial }, { dialQuic, listenQuic }] = await Promise.all([
    import("@orchestrator/identity"),
    import("@orchestrator/transport-quic"),
  ]);
  return { loadMaterial, dialQuic, listenQuic };
}

async function answers(question: Promise<unknown>): Promise<boolean> {
  try {
    await question;
    return true;
  } catch {
    return false;
  }
}
