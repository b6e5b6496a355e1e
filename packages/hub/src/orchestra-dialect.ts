import type { Authority } from "@orchestrator/identity";
import { ErrorCode, HealthResult_Status, HubError, PluginManifest } from "@orchestrator/protocol";
import { type Attachment, describeExit, type HealthReport, type PluginProcess } from "@orchestrator/supervisor";
import type { AcceptLink, Link } from "@orchestrator/transport";
import { dialQuic } from "@orchestrator/transport-quic";
import { SocketLink } from "@orchestrator/transport-socket";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import type { HubLog } from "./hub-log.ts";
import { callPeer } from "./local-call.ts";
import type { Offer, PluginEntry } from "./plugin-entry.ts";
import { readOffer } from "./plugin-offer.ts";
import type { Port } from "./port.ts";
import { shortened } from "./printable.ts";

/** Answers to register and boot are a word, or an error. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** How long it may take until a process that has closed its connection is seen to be gone, on a machine with much else to do. */
const EXIT_AFTER_LOSS_MS = 2_000;
/** Somebody else counts the time of a check; this only keeps one from being under way for ever. */
const HEALTH_PATIENCE_MS = 3_600_000;
/** Of what a plugin says, so much stands in an error. */
const MAX_WORDS = 1_024;

export interface DialectOptions {
  readonly authority: Authority;
  readonly wheel: DeadlineWheel;
  /** Makes the hub's end of a link to a configured plugin. */
  readonly accept: (link: Link, plugin: PluginEntry) => Port;
  /** The plugin serves now. */
  readonly onReady: (plugin: PluginEntry, port: Port, offer: Offer) => void;
  /** This connection to the plugin is over, also one that never came as far as `onReady`. */
  readonly onGone: (plugin: PluginEntry, port: Port) => void;
  readonly log: HubLog;
}

/**
 * The `orchestra` dialect: connect, check who answers, register, boot, list. A step that fails ends the link, and the
 * supervisor ends the process.
 */
export async function attachOrchestra(
  plugin: PluginEntry,
  process: PluginProcess,
  stop: AbortSignal,
  options: DialectOptions,
): Promise<Attachment> {
  const { wheel } = options;
  const exit = new AbortController();
  const signal = AbortSignal.any([stop, exit.signal]);
  // A process that is gone leaves a QUIC connection that looks alive for half a minute.
  void process.exited.then((status) => {
    exit.abort(new HubError(ErrorCode.StartFailed, `Plugin "${plugin.id}" ${describeExit(status)} while it started`));
  });
  const lost = Promise.withResolvers<HubError>();
  let port: Port | undefined;
  const accept: AcceptLink = (link) => {
    port = options.accept(link, plugin);
    return port;
  };
  const link = await connect(plugin, process, signal, options.authority, accept);
  link.closed.then(() => lost.resolve(new HubError(ErrorCode.Unavailable, "the plugin closed its connection")));
  const peer = port!;
  const onAbort = () => link.abort(HubError.from(signal.reason, ErrorCode.StartFailed));
  signal.addEventListener("abort", onAbort, { once: true });
  let offer: Offer;
  // Over QUIC a plugin calls the hub on connections of its own, and nobody can tell which of two instances has made them.
  const canTakeOver = link.carrier === "fd";
  try {
    signal.throwIfAborted();
    checkIdentity(plugin, link);
    await introduce(plugin, peer, wheel);
    offer = await readOffer(plugin, peer, wheel, options.log, plugin.config.startTimeoutMs);
    signal.throwIfAborted();
    if (!canTakeOver) options.onReady(plugin, peer, offer);
  } catch (reason) {
    options.onGone(plugin, peer);
    link.abort(HubError.from(reason, ErrorCode.StartFailed));
    // A connection that ends mostly means that the process does, and how that ended says more: it is told once its last words are in.
    const isLost = !signal.aborted && HubError.from(reason).code === ErrorCode.Unavailable;
    if (isLost && (await process.exitedWithin(EXIT_AFTER_LOSS_MS))) await process.exited;
    throw signal.aborted ? signal.reason : reason;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  let questions = 0;
  return {
    lost: lost.promise,
    get heard() {
      return peer.heard;
    },
    get inFlight() {
      return peer.underWay - questions;
    },
    ...(canTakeOver ? { activate: () => options.onReady(plugin, peer, offer) } : {}),
    retire: () => options.onGone(plugin, peer),
    ping: async () => {
      questions += 1;
      try {
        return await askHealth(peer, wheel);
      } finally {
        questions -= 1;
      }
    },
    requestShutdown: async (graceMs) => {
      const value = { timeoutSeconds: Math.ceil(graceMs / 1_000) };
      await callPeer(peer, wheel, { $case: "shutdown", value }, "shutdown", graceMs, MAX_ANSWER_BYTES);
    },
    detach: (reason) => {
      options.onGone(plugin, peer);
      link.abort(reason);
    },
  };
}

/** The answer counts however late it comes. A plugin that does not know the question has answered it, too: it lives. */
async function askHealth(peer: Port, wheel: DeadlineWheel): Promise<HealthReport> {
  try {
    const { response } = await callPeer(
      peer,
      wheel,
      { $case: "health", value: {} },
      "health",
      HEALTH_PATIENCE_MS,
      MAX_ANSWER_BYTES,
    );
    if (response?.$case !== "health") return { status: "unknown", message: "" };
    const { status, message } = response.value;
    return { status: HEALTH[status] ?? "unknown", message: shortened(message, MAX_WORDS) };
  } catch (reason) {
    const error = HubError.from(reason);
    // Whoever refuses the question, or hangs up on it, is there.
    if (error.code === ErrorCode.DeadlineExceeded || !peer.link.isOpen) throw error;
    return { status: "unknown", message: shortened(error.message, MAX_WORDS) };
  }
}

const HEALTH: Readonly<Record<number, HealthReport["status"]>> = {
  [HealthResult_Status.STATUS_HEALTHY]: "healthy",
  [HealthResult_Status.STATUS_DEGRADED]: "degraded",
  [HealthResult_Status.STATUS_UNHEALTHY]: "unhealthy",
};

/**
 * Whichever the plugin speaks first: a hello on the socket that it inherited, or READY with the address of its QUIC listener.
 */
async function connect(
  plugin: PluginEntry,
  process: PluginProcess,
  signal: AbortSignal,
  authority: Authority,
  accept: AcceptLink,
): Promise<Link> {
  const waiting = new AbortController();
  const ready = process.ready(plugin.config.startTimeoutMs, AbortSignal.any([signal, waiting.signal]));
  const socket = process.linkSocket;
  if (socket === undefined) return await dial(plugin, await ready, signal, authority, accept);
  const hello = Promise.withResolvers<undefined>();
  const link = new SocketLink(
    socket,
    {
      carrier: "fd",
      peer: plugin.manifestId,
      remoteAddress: "fd:3",
      isConnector: false,
      onHello: () => hello.resolve(undefined),
    },
    accept,
  );
  try {
    const address = await Promise.race([hello.promise, ready]);
    if (address === undefined) {
      ready.catch(() => {});
      waiting.abort();
      return link;
    }
    link.abort(new HubError(ErrorCode.Unavailable, "The plugin does not use the socket that it inherited"));
    return await dial(plugin, address, signal, authority, accept);
  } catch (reason) {
    link.abort(HubError.from(reason, ErrorCode.StartFailed));
    throw reason;
  }
}

async function dial(
  plugin: PluginEntry,
  address: string,
  signal: AbortSignal,
  authority: Authority,
  accept: AcceptLink,
): Promise<Link> {
  checkLoopback(plugin, address);
  const tls = await authority.leaf(`orchestrator-to-${plugin.id}`);
  return await dialQuic(address, { tls, signal }, accept);
}

/** Each step has as long as the whole start: the supervisor ends that in time. */
async function introduce(plugin: PluginEntry, peer: Port, wheel: DeadlineWheel): Promise<void> {
  const { startTimeoutMs } = plugin.config;
  const manifest = PluginManifest.fromPartial({ id: plugin.id });
  const register = { $case: "register", value: manifest } as const;
  const registered = await callPeer(peer, wheel, register, "register", startTimeoutMs, MAX_ANSWER_BYTES);
  if (registered.response?.$case === "register" && !registered.response.value.accepted) {
    throw refused(plugin, "register", registered.response.value.rejectReason);
  }
  const boot = { $case: "boot", value: { config: { ...plugin.config.config } } } as const;
  const booted = await callPeer(peer, wheel, boot, "boot", startTimeoutMs, MAX_ANSWER_BYTES);
  if (booted.response?.$case === "boot" && !booted.response.value.ready) {
    throw refused(plugin, "boot", booted.response.value.error);
  }
}

function refused(plugin: PluginEntry, step: string, why: string): HubError {
  const words = why === "" ? "it gave no reason" : shortened(why, MAX_WORDS);
  return new HubError(ErrorCode.StartFailed, `Plugin "${plugin.id}" refused to ${step}: ${words}`);
}

/** READY names where to connect; a plugin must not be able to send the hub elsewhere. */
function checkLoopback(plugin: PluginEntry, address: string): void {
  const host = address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  if (host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)) return;
  const what = `Plugin "${plugin.id}" said READY at "${shortened(address, 200)}", which is not a loopback address with a port`;
  throw new HubError(ErrorCode.StartFailed, what);
}

function checkIdentity(plugin: PluginEntry, link: Link): void {
  if (link.peer === plugin.manifestId) return;
  const what = `The process that answers for plugin "${plugin.id}" has the certificate of "${link.peer}", not of "${plugin.manifestId}"`;
  throw new HubError(ErrorCode.StartFailed, what);
}
