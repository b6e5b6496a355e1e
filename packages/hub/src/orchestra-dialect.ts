import type { Authority } from "@orchestrator/identity";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Attachment, PluginProcess } from "@orchestrator/supervisor";
import type { AcceptLink, Link } from "@orchestrator/transport";
import { dialQuic } from "@orchestrator/transport-quic";
import { SocketLink } from "@orchestrator/transport-socket";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import { callPeer } from "./local-call.ts";
import type { Offer, PluginEntry } from "./plugin-entry.ts";
import type { Port } from "./port.ts";

/** Each step of the start has this long, within the plugin's start timeout. */
const STEP_TIMEOUT_MS = 10_000;

export interface DialectOptions {
  readonly authority: Authority;
  readonly wheel: DeadlineWheel;
  /** Makes the hub's end of a link to a configured plugin. */
  readonly accept: (link: Link, plugin: PluginEntry) => Port;
  /** The plugin serves now. */
  readonly onReady: (plugin: PluginEntry, port: Port, offer: Offer) => void;
  /** The plugin is away; its calls in flight were answered. */
  readonly onGone: (plugin: PluginEntry) => void;
}

/**
 * The `orchestra` dialect: connect, check who answers, register, boot, list. A step that fails ends the link, and the
 * supervisor ends the process.
 */
export async function attachOrchestra(
  plugin: PluginEntry,
  process: PluginProcess,
  signal: AbortSignal,
  options: DialectOptions,
): Promise<Attachment> {
  const { wheel } = options;
  const lost = Promise.withResolvers<HubError>();
  let port: Port | undefined;
  const accept: AcceptLink = (link) => {
    port = options.accept(link, plugin);
    return port;
  };
  const link = await connect(plugin, process, signal, options.authority, accept);
  link.closed.then(() => lost.resolve(new HubError(ErrorCode.Unavailable, "the plugin closed its connection")));
  const peer = port!;
  try {
    checkIdentity(plugin, link);
    await introduce(plugin, peer, wheel);
    const offer = await readOffer(plugin, peer, wheel);
    signal.throwIfAborted();
    options.onReady(plugin, peer, offer);
  } catch (reason) {
    link.abort(HubError.from(reason, ErrorCode.StartFailed));
    throw reason;
  }
  return {
    lost: lost.promise,
    requestShutdown: async (graceMs) => {
      const value = { timeoutSeconds: Math.ceil(graceMs / 1_000) };
      await callPeer(peer, wheel, { $case: "shutdown", value }, "shutdown", graceMs);
    },
    detach: (reason) => {
      options.onGone(plugin);
      link.abort(reason);
    },
  };
}

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

async function introduce(plugin: PluginEntry, peer: Port, wheel: DeadlineWheel): Promise<void> {
  const manifest = emptyManifest(plugin.id);
  const registered = await callPeer(peer, wheel, { $case: "register", value: manifest }, "register", STEP_TIMEOUT_MS);
  if (registered.response?.$case === "register" && !registered.response.value.accepted) {
    const why = registered.response.value.rejectReason || "it gave no reason";
    throw new HubError(ErrorCode.StartFailed, `Plugin "${plugin.id}" refused to register: ${why}`);
  }
  const config = { ...plugin.config.config };
  const booted = await callPeer(peer, wheel, { $case: "boot", value: { config } }, "boot", STEP_TIMEOUT_MS);
  if (booted.response?.$case === "boot" && !booted.response.value.ready) {
    const why = booted.response.value.error || "it gave no reason";
    throw new HubError(ErrorCode.StartFailed, `Plugin "${plugin.id}" refused to boot: ${why}`);
  }
}

async function readOffer(plugin: PluginEntry, peer: Port, wheel: DeadlineWheel): Promise<Offer> {
  const [tools, prompts] = await Promise.all([
    callPeer(peer, wheel, { $case: "listTools", value: {} }, "listTools", STEP_TIMEOUT_MS),
    // Plugins older than prompts answer with an error: they have none.
    callPeer(peer, wheel, { $case: "listPrompts", value: {} }, "listPrompts", STEP_TIMEOUT_MS).catch(onlyProtocol),
  ]);
  const { manifest, config } = plugin;
  return {
    tools: unique(tools.response?.$case === "listTools" ? tools.response.value.tools : []),
    prompts: unique(prompts?.response?.$case === "listPrompts" ? prompts.response.value.prompts : []),
    storage: [...new Set([...config.providesStorage, ...(manifest?.providesStorage ?? [])])],
    ai: [...new Set([...config.providesAi, ...(manifest?.providesAi ?? [])])],
  };
}

function onlyProtocol(reason: unknown): undefined {
  if (reason instanceof HubError && reason.code === ErrorCode.Protocol) return undefined;
  throw reason;
}

/** A plugin that lists a name twice has it once. */
function unique<T extends { readonly name: string }>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [item.name, item])).values()];
}

/** READY names where to connect; a plugin must not be able to send the hub elsewhere. */
function checkLoopback(plugin: PluginEntry, address: string): void {
  const host = address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  if (host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)) return;
  const what = `Plugin "${plugin.id}" said READY at "${address}", which is not a loopback address with a port`;
  throw new HubError(ErrorCode.StartFailed, what);
}

function checkIdentity(plugin: PluginEntry, link: Link): void {
  if (link.peer === plugin.manifestId) return;
  const what = `The process that answers for plugin "${plugin.id}" has the certificate of "${link.peer}", not of "${plugin.manifestId}"`;
  throw new HubError(ErrorCode.StartFailed, what);
}

function emptyManifest(id: string) {
  return {
    id,
    version: "",
    language: "",
    providesTools: [],
    providesEvents: [],
    providesStorage: [],
    providesTransport: [],
    providesAi: [],
    needsStorage: [],
    needsEvents: [],
    needsAi: [],
    needsTools: [],
    description: "",
    author: "",
    binary: "",
    args: [],
    env: {},
    providesPrompts: [],
    providesHttp: [],
    needsHttp: [],
  };
}
