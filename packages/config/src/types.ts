/** Which kind of capability a pattern is about. */
export type CapabilityKind = "tool" | "prompt" | "storage" | "ai" | "event" | "http";

/** `tool:get_*`: a kind, and a name in which `*` stands for any characters. */
export interface CapabilityPattern {
  readonly kind: CapabilityKind;
  readonly name: string;
}

/** One rule of who may use what. */
export interface PolicyRule {
  /** Shown to whoever is denied. */
  readonly name: string;
  readonly effect: "allow" | "deny";
  /** Caller's id; `*` stands for any characters. */
  readonly caller: string;
  readonly use: readonly CapabilityPattern[];
}

/** Another name for one capability of one plugin. */
export interface CapabilityAlias {
  readonly kind: CapabilityKind;
  /** Name in the plugin. */
  readonly name: string;
  /** Name under which the hub offers it. */
  readonly as: string;
}

/** How a running plugin is watched. */
export interface HealthConfig {
  /** 0: not at all. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly failures: number;
  readonly restart: boolean;
  readonly busyMs: number;
}

/** How long a plugin is called that gives no proper answers. */
export interface CircuitConfig {
  /** 0: however many fail. */
  readonly failures: number;
  readonly coolDownMs: number;
}

/** What a plugin's processes may use together; undefined is no limit. */
export interface LimitsConfig {
  readonly memoryBytes: number | undefined;
  /** 1 is one whole processor. */
  readonly cpus: number | undefined;
  readonly processes: number | undefined;
}

/** One plugin, everything filled in, every path absolute. */
export interface PluginConfig {
  readonly id: string;
  readonly enabled: boolean;
  /** How the hub speaks with it. */
  readonly dialect: "orchestra" | "unix-json";
  /** How it reads questions about its own store; for `unix-json`. */
  readonly kvForm: "sdk" | "docs" | "none";
  /** Connections at once, for `unix-json`; undefined to find out what the plugin serves. */
  readonly connections: number | undefined;
  /** Absolute path, or a bare name to be searched in PATH (only from `command`). */
  readonly program: string;
  /** Arguments before those of the hub. */
  readonly args: readonly string[];
  /** Working directory; undefined: the workspace. */
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables to hand on from the hub's environment. */
  readonly passEnv: readonly string[];
  /** For `boot`. */
  readonly config: Readonly<Record<string, string>>;
  readonly providesStorage: readonly string[];
  readonly providesAi: readonly string[];
  /** HTTP routes besides those of the manifest. */
  readonly providesHttp: readonly string[];
  readonly dependsOn: readonly string[];
  /** Each replaces what the manifest says; undefined leaves it. */
  readonly needsStorage: readonly string[] | undefined;
  readonly needsTools: readonly string[] | undefined;
  readonly needsAi: readonly string[] | undefined;
  readonly needsEvents: readonly string[] | undefined;
  readonly needsHttp: readonly string[] | undefined;
  readonly startTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly maxCallsInFlight: number;
  readonly restart: "always" | "on-failure" | "never";
  readonly maxCrashes: number;
  readonly crashWindowMs: number;
  /** How an operator's restart is done: `beside` needs a plugin that can be called over an inherited socket. */
  readonly restartMode: "beside" | "in_place";
  readonly drainMs: number;
  readonly restartWithDependencies: boolean;
  readonly activation: "eager" | "lazy";
  /** 0: never. */
  readonly idleStopMs: number;
  readonly health: HealthConfig;
  readonly circuit: CircuitConfig;
  readonly limits: LimitsConfig;
  readonly aliases: readonly CapabilityAlias[];
  /** Capabilities for which this plugin wins a collision. */
  readonly prefer: readonly CapabilityPattern[];
  /** Line of the entry in the file; 0 where there is none. */
  readonly line: number;
}

export interface TcpConfig {
  readonly enabled: boolean;
  /** `host:port`, a loopback host. */
  readonly addr: string;
  readonly tokenFile: string;
  /** With TLS, the client's certificate stands in for the token. */
  readonly tls: boolean;
}

export interface LogConfig {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "text" | "json";
  /** undefined: standard error. */
  readonly file: string | undefined;
}

/** Who is told when a plugin is given up. */
export interface NotifyConfig {
  /** Program and arguments; empty for none. */
  readonly command: readonly string[];
  /** undefined for none. */
  readonly webhook: string | undefined;
  readonly timeoutMs: number;
}

/** The hub's database. */
export interface StoreConfig {
  /** Absolute. */
  readonly file: string;
  /** Of one plugin. */
  readonly kvMaxBytes: number;
  readonly kvMaxEntries: number;
  readonly eventsMaxAgeMs: number;
  readonly eventsMax: number;
}

/** The whole configuration, everything filled in, every path absolute. */
export interface HubConfig {
  /** The file it came from; undefined where there was none. */
  readonly file: string | undefined;
  /** Where relative paths of the file start. */
  readonly directory: string;
  /** `host:port`; the host is never empty, IPv6 stands in brackets. */
  readonly listenAddr: string;
  readonly certsDir: string;
  readonly workspace: string;
  readonly stateDir: string;
  readonly defaultTimeoutMs: number;
  readonly allowAnonymousPeers: boolean;
  /** Plugins that may be starting at the same time; undefined: as many as the machine can take. */
  readonly maxStartsAtOnce: number | undefined;
  readonly tcp: TcpConfig;
  readonly log: LogConfig;
  readonly notify: NotifyConfig;
  readonly store: StoreConfig;
  /** The operator's rules, then each plugin's `deny` and `allow`. The first that matches decides. */
  readonly policy: readonly PolicyRule[];
  /** Absolute paths of directories whose `*.binary` are plugins. */
  readonly pluginDirs: readonly string[];
  readonly plugins: readonly PluginConfig[];
}
