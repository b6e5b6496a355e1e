import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig, requireConfig } from "@orchestrator/config";
import { type Authority, openAuthority } from "@orchestrator/identity";
import { Store } from "@orchestrator/store";
import type { RestartPolicy } from "@orchestrator/supervisor";
import { LinkPeer, type ServeCall } from "@orchestrator/transport";
import { dialQuic } from "@orchestrator/transport-quic";
import { dialSocket } from "@orchestrator/transport-socket";
import { Hub } from "../hub.ts";
import { HubLog, type LogEntry } from "../hub-log.ts";
import { storeOptions } from "../store-options.ts";

/** One plugin of a test hub: the keys of a plugin in `plugins.yaml`. */
export interface TestPlugin {
  readonly id: string;
  readonly binary?: string;
  readonly [key: string]: unknown;
}

export interface StartTestHubOptions {
  readonly plugins?: readonly TestPlugin[];
  /** More top-level keys of `plugins.yaml`. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly restart?: Partial<RestartPolicy>;
  readonly shutdownMs?: number;
  readonly termMs?: number;
  /** How long the plugins wait for a program that does not say who it is. Default: longer than any busy machine needs. */
  readonly identifyMs?: number;
  /** Kept when given, else made and removed with the hub. */
  readonly directory?: string;
  readonly onStopRequest?: () => void;
  /** Whether entries and events are kept, in the file of the config. Default false. */
  readonly store?: boolean;
  /** Hears every line of the log from the start on. */
  readonly onLog?: (entry: LogEntry) => void;
}

export interface TestHub extends AsyncDisposable {
  readonly hub: Hub;
  readonly authority: Authority;
  /** A directory of its own: certificates in `certs`, the workspace in `ws`. */
  readonly directory: string;
  readonly workspace: string;
  /** Which plugins the config names when it is read again. */
  reconfigure(plugins: readonly TestPlugin[]): void;
  /** Connects with the certificate of that common name. */
  connect(commonName: string, serve?: ServeCall, carrier?: "quic" | "unix"): Promise<LinkPeer>;
  stop(): Promise<void>;
}

/** Starts a hub on a free port with its own certificates, workspace and plugins, and takes all of it away at the end. */
export async function startTestHub(options: StartTestHubOptions = {}): Promise<TestHub> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "orchestrator-test-"));
  let plugins = options.plugins ?? [];
  const readConfig = () =>
    requireConfig(
      parseConfig(configText(directory, { ...options, plugins }), {
        path: join(directory, "plugins.yaml"),
        env: {},
        home: directory,
      }),
    );
  const config = readConfig();
  const authority = await openAuthority(config.certsDir, { algorithm: "ecdsa-p256" });
  const log = new HubLog();
  if (options.onLog !== undefined) log.follow(options.onLog);
  const store = options.store === true ? await Store.open(storeOptions(config.store)) : undefined;
  const hub = new Hub({
    config,
    authority,
    log,
    readConfig: async () => readConfig(),
    env: { ...process.env, ...options.env },
    version: "test",
    socketPath: join(directory, "hub.sock"),
    restart: { delaysMs: [10], jitter: 0, ...options.restart },
    metadataMs: 60_000,
    identifyMs: options.identifyMs ?? 60_000,
    slotMs: 60_000,
    deliveryMs: 60_000,
    ...(options.shutdownMs === undefined ? {} : { shutdownMs: options.shutdownMs }),
    ...(options.termMs === undefined ? {} : { termMs: options.termMs }),
    ...(store === undefined ? {} : { store }),
    ...(options.onStopRequest === undefined ? {} : { onStopRequest: options.onStopRequest }),
  });
  const peers: LinkPeer[] = [];
  const stop = async () => {
    for (const peer of peers.splice(0)) await peer.link.close(0);
    await hub.stop("the test is over");
    await store?.close();
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
  };
  try {
    await hub.start();
  } catch (reason) {
    await stop();
    throw reason;
  }
  return {
    hub,
    authority,
    directory,
    workspace: config.workspace,
    reconfigure: (others) => {
      plugins = others;
    },
    connect: async (commonName, serve, carrier = "quic") => {
      const peer = new LinkPeer(serve);
      const tls = await authority.leaf(commonName);
      if (carrier === "quic") await dialQuic(hub.address, { tls }, peer.accept);
      else await dialSocket(hub.socketAddress, { tls }, peer.accept);
      peers.push(peer);
      return peer;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function configText(directory: string, { plugins = [], config }: StartTestHubOptions): string {
  return JSON.stringify({
    listen_addr: "localhost:0",
    certs_dir: "certs",
    workspace: directory,
    state_dir: "state",
    // Tests start the same programs over and over: they share what Node has compiled. A machine with much else to do is slow to start them.
    plugins: plugins.map((plugin) => ({
      start_timeout_ms: 60_000,
      ...plugin,
      env: { NODE_COMPILE_CACHE: join(tmpdir(), "orchestrator-compile-cache"), ...(plugin["env"] as object) },
    })),
    ...config,
  });
}

/** The operator's connection to a test hub. */
export function operatorPeer(hub: TestHub): Promise<LinkPeer> {
  return hub.connect("orchestrator-operator");
}
