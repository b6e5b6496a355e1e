import { parseCapability } from "./capability.ts";
import type { RawHub, RawPlugin } from "./config-shape.ts";
import type { Diagnostics, Place } from "./diagnostics.ts";
import { layered, type Overridden } from "./overrides.ts";
import { absolute, defaultStateDir, isLoopback, parseAddress } from "./paths.ts";
import { resolvePlugins } from "./resolve-plugins.ts";
import type { HubConfig, LogConfig, PolicyRule } from "./types.ts";

/** Models think for minutes, and clients of the existing system name no deadline. */
const AI_TIMEOUT_MS = 600_000;

/** Everything that the resolver needs besides what was read. */
export interface ResolveContext {
  readonly file: string | undefined;
  /** Where relative paths of the file start. */
  readonly directory: string;
  /** Where relative paths of flags and variables start. */
  readonly cwd: string;
  readonly home: string;
  readonly env: Overridden;
  readonly flags: Overridden;
  /** Where a record, or one of its keys, stands. */
  place(record: object, key?: string): Place;
}

/** Fills in defaults by the order flag, environment, file, default; makes paths absolute; checks what concerns several keys. */
export function resolve(raw: RawHub, context: ResolveContext, diagnostics: Diagnostics): HubConfig {
  const { directory, cwd, home } = context;
  const get = layered(context.flags, context.env, raw);
  const value = <T extends string | number | boolean>(path: string, otherwise: T): T =>
    get<T>(path)?.value ?? otherwise;
  const path = (key: string): string | undefined => {
    const found = get<string>(key);
    return found && absolute(found.value, found.from === undefined ? directory : cwd, home);
  };
  /** Where the value of a key was set. */
  const origin = (key: keyof RawHub): Place => {
    const from = get(key)?.from;
    return from === undefined ? context.place(raw, key) : { file: from, line: 0, column: 0 };
  };

  const listen = parseAddress(value("listen_addr", "localhost:50100"));
  const tcp = parseAddress(value("tcp_addr", "localhost:50101"));
  const tcpEnabled = value("tcp.enabled", false);
  if (tcpEnabled && !isLoopback(tcp.host)) {
    const hint = "use localhost:50101; other machines connect by QUIC";
    diagnostics.error(origin("tcp_addr"), `The TCP listener is for this machine only, not "${tcp.text}"`, hint);
  }
  const allowAnonymousPeers = value("allow_anonymous_peers", false);
  if (allowAnonymousPeers && !isLoopback(listen.host)) {
    const message = `Peers without a certificate are admitted on loopback only, not on "${listen.text}"`;
    const hint = "remove allow_anonymous_peers, or listen on localhost";
    diagnostics.error(origin("allow_anonymous_peers"), message, hint);
  }

  const workspace = path("workspace") ?? directory;
  const stateDir = path("state_dir") ?? defaultStateDir(workspace, home);
  const defaultTimeoutMs = value("default_timeout_ms", 30_000);
  const aiTimeoutMs = value("default_timeout_ms", AI_TIMEOUT_MS);
  const plugins = raw.plugins ?? [];
  return {
    file: context.file,
    directory,
    listenAddr: listen.text,
    certsDir: path("certs_dir") ?? absolute("~/.orchestra/certs", cwd, home),
    workspace,
    stateDir,
    defaultTimeoutMs,
    allowAnonymousPeers,
    maxStartsAtOnce: get<number>("max_starts_at_once")?.value,
    tcp: {
      enabled: tcpEnabled,
      addr: tcp.text,
      tokenFile: path("tcp.token_file") ?? absolute("tcp-token", stateDir, home),
      tls: value("tcp.tls", false),
    },
    log: {
      level: value<LogConfig["level"]>("log.level", "info"),
      format: value<LogConfig["format"]>("log.format", "text"),
      file: path("log.file"),
    },
    notify: {
      command: raw.notify?.command ?? [],
      webhook: get<string>("notify.webhook")?.value,
      timeoutMs: value("notify.timeout_ms", 10_000),
    },
    store: {
      file: path("store.file") ?? absolute("orchestra.db", stateDir, home),
      kvMaxBytes: value("store.kv_max_bytes", 67_108_864),
      kvMaxEntries: value("store.kv_max_entries", 100_000),
      eventsMaxAgeMs: value("store.events_max_age_ms", 604_800_000),
      eventsMax: value("store.events_max", 100_000),
    },
    policy: [...operatorRules(raw, context, diagnostics), ...plugins.flatMap(entryRules)],
    pluginDirs: (raw.plugin_dirs ?? []).map((entry) => absolute(entry, directory, home)),
    plugins: resolvePlugins(
      plugins,
      { directory, home, workspace, defaultTimeoutMs, aiTimeoutMs, place: context.place },
      diagnostics,
    ),
  };
}

function operatorRules(raw: RawHub, context: ResolveContext, diagnostics: Diagnostics): PolicyRule[] {
  return (raw.policy ?? []).flatMap((rule, index) => {
    const { effect, use } = rule;
    const name = rule.name ?? `policy[${index}]`;
    if (effect !== undefined && use !== undefined && use.length > 0) {
      return [{ name, effect, caller: rule.caller ?? "*", use: use.map(parseCapability) }];
    }
    diagnostics.error(context.place(rule), `Rule "${name}" needs effect and use`, "effect: deny, use: [tool:delete_*]");
    return [];
  });
}

/** `deny` goes before `allow`: what an entry forbids stays forbidden. */
function entryRules({ id, allow, deny }: RawPlugin): PolicyRule[] {
  const rule = (effect: "allow" | "deny", use: readonly string[] | undefined): PolicyRule[] =>
    id === undefined || use === undefined || use.length === 0
      ? []
      : [{ name: `plugins[${id}].${effect}`, effect, caller: id, use: use.map(parseCapability) }];
  return [...rule("deny", deny), ...rule("allow", allow)];
}
