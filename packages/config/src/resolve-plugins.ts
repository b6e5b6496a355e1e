import { isHttpRoute, parseCapability } from "./capability.ts";
import type { RawPlugin } from "./config-shape.ts";
import { dependencyProblems } from "./dependencies.ts";
import type { Diagnostics, Place } from "./diagnostics.ts";
import { absolute, expandTilde } from "./paths.ts";
import type { CapabilityAlias, LimitsConfig, PluginConfig } from "./types.ts";

/** What the entries are resolved against. */
export interface PluginContext {
  readonly directory: string;
  readonly home: string;
  readonly workspace: string;
  readonly defaultTimeoutMs: number;
  /** The same for plugins that serve AI providers; that of all where this is absent. */
  readonly aiTimeoutMs?: number;
  /** Where an entry, or one of its keys, stands. */
  place(raw: RawPlugin, key?: string): Place;
}

/** Fills in defaults, makes paths absolute, and checks what concerns several entries. */
export function resolvePlugins(
  raws: readonly RawPlugin[],
  context: PluginContext,
  diagnostics: Diagnostics,
): PluginConfig[] {
  const first = new Map<string, RawPlugin>();
  const plugins: PluginConfig[] = [];
  for (const raw of raws) {
    const { id } = raw;
    if (id === undefined) {
      diagnostics.error(context.place(raw), "A plugin needs an id", "id: my.plugin");
      continue;
    }
    const earlier = first.get(id);
    if (earlier !== undefined) {
      const { line } = context.place(earlier, "id");
      diagnostics.error(context.place(raw, "id"), `Two plugins have the id "${id}": the other stands in line ${line}`);
      continue;
    }
    first.set(id, raw);
    if (/^(?:hub$|orchestrator(?:$|-))/.test(id)) {
      diagnostics.error(context.place(raw, "id"), `"${id}" is a name of the hub itself`, "choose another id");
      continue;
    }
    const plugin = resolvePlugin(id, raw, context, diagnostics);
    if (plugin !== undefined) plugins.push(plugin);
  }
  // Over what was written, not over what could be resolved: an entry with a mistake elsewhere is still there to depend on.
  const nodes = [...first].map(([id, raw]) => ({ id, enabled: raw.enabled ?? true, dependsOn: raw.depends_on ?? [] }));
  for (const { severity, id, message, hint } of dependencyProblems(nodes)) {
    const raw = first.get(id);
    if (raw !== undefined) diagnostics[severity](context.place(raw, "depends_on"), message, hint);
  }
  return plugins;
}

function resolvePlugin(
  id: string,
  raw: RawPlugin,
  context: PluginContext,
  diagnostics: Diagnostics,
): PluginConfig | undefined {
  const launch = resolveProgram(id, raw, context, diagnostics);
  const aliases = resolveAliases(id, raw, context, diagnostics);
  if (launch === undefined) return undefined;
  const args = [...launch.args, ...(raw.args ?? [])];
  const { defaultTimeoutMs, aiTimeoutMs = defaultTimeoutMs } = context;
  const isAi = (raw.provides_ai?.length ?? 0) > 0;
  const callTimeoutMs = raw.call_timeout_ms ?? (isAi ? aiTimeoutMs : defaultTimeoutMs);
  const limits = resolveLimits(id, raw, context, diagnostics);
  return {
    id,
    enabled: raw.enabled ?? true,
    dialect: raw.dialect ?? "orchestra",
    kvForm: raw.kv_form ?? "sdk",
    connections: raw.connections,
    program: launch.program,
    args: args.map((arg) => (arg === "--workspace=." ? `--workspace=${context.workspace}` : arg)),
    cwd: raw.cwd === undefined ? undefined : absolute(raw.cwd, context.directory, context.home),
    env: raw.env ?? {},
    passEnv: raw.pass_env ?? [],
    config: raw.config ?? {},
    providesStorage: raw.provides_storage ?? [],
    providesAi: raw.provides_ai ?? [],
    providesHttp: raw.provides_http ?? [],
    dependsOn: raw.depends_on ?? [],
    needsStorage: raw.needs_storage,
    needsTools: raw.needs_tools,
    needsAi: raw.needs_ai,
    needsEvents: raw.needs_events,
    needsHttp: raw.needs_http,
    startTimeoutMs: raw.start_timeout_ms ?? 10_000,
    callTimeoutMs,
    maxCallsInFlight: raw.max_calls_in_flight ?? 1024,
    restart: raw.restart ?? "always",
    ...resolveSupervision(raw, callTimeoutMs),
    limits,
    aliases,
    prefer: (raw.prefer ?? []).map(parseCapability),
    line: context.place(raw).line,
  };
}

function resolveSupervision(raw: RawPlugin, callTimeoutMs: number) {
  const { health = {}, circuit = {}, activation = "eager" } = raw;
  return {
    maxCrashes: raw.max_crashes ?? 10,
    crashWindowMs: raw.crash_window_ms ?? 600_000,
    restartMode: raw.restart_mode ?? "beside",
    drainMs: raw.drain_ms ?? 30_000,
    restartWithDependencies: raw.restart_with_dependencies ?? false,
    activation,
    idleStopMs: activation === "lazy" ? (raw.idle_stop_ms ?? 300_000) : 0,
    health: {
      intervalMs: health.interval_ms ?? 5_000,
      timeoutMs: health.timeout_ms ?? 5_000,
      failures: health.failures ?? 3,
      restart: health.restart ?? true,
      busyMs: health.busy_ms ?? callTimeoutMs,
    },
    circuit: { failures: circuit.failures ?? 10, coolDownMs: circuit.cool_down_ms ?? 1_000 },
  };
}

/** Below these, nothing that a plugin can be written in would come as far as its first line. */
const LEAST_BYTES = 1024 * 1024;
const LEAST_CPUS = 0.01;

function resolveLimits(id: string, raw: RawPlugin, context: PluginContext, diagnostics: Diagnostics): LimitsConfig {
  const { memory, cpu, processes } = raw.limits ?? {};
  const memoryBytes = memory === undefined ? undefined : parseSize(memory);
  const cpus = cpu === undefined ? undefined : Number(cpu);
  const tooSmall = (what: string) =>
    diagnostics.error(context.place(raw, "limits"), `Plugin "${id}" cannot run within ${what}`);
  if (memoryBytes !== undefined && memoryBytes < LEAST_BYTES) tooSmall(`${memory} of memory: 1M is the least`);
  if (cpus !== undefined && cpus < LEAST_CPUS) tooSmall(`${cpu} processors: ${LEAST_CPUS} is the least`);
  return { memoryBytes, cpus, processes };
}

/** `1.5G` → bytes; the pattern of the key was checked. */
function parseSize(text: string): number {
  const [, number = "0", unit = ""] = /^([0-9.]+)([KMGT]?)/.exec(text) ?? [];
  return Math.round(Number(number) * 1024 ** " KMGT".indexOf(unit || " "));
}

/** `binary`, or the first word of `command`. */
function resolveProgram(id: string, raw: RawPlugin, context: PluginContext, diagnostics: Diagnostics) {
  const { binary, command } = raw;
  const { directory, home } = context;
  if (binary !== undefined && command !== undefined) {
    diagnostics.error(context.place(raw, "command"), `Plugin "${id}" has both binary and command`, "keep one of them");
    return undefined;
  }
  if (binary !== undefined) return { program: absolute(binary, directory, home), args: [] };
  const [word, ...args] = command ?? [];
  if (word === undefined || word === "") {
    diagnostics.error(context.place(raw), `Plugin "${id}" needs a binary or a command`);
    return undefined;
  }
  // In a command, `./x` can only mean a file beside this one; every other argument is the plugin's own business.
  const rest = args.map((arg) => (/^(\.\.?|~)[/\\]/.test(arg) ? absolute(arg, directory, home) : arg));
  const bare = !/[/\\]/.test(word) && expandTilde(word, home) === word;
  return { program: bare ? word : absolute(word, directory, home), args: rest };
}

function resolveAliases(
  id: string,
  raw: RawPlugin,
  context: PluginContext,
  diagnostics: Diagnostics,
): CapabilityAlias[] {
  return Object.entries(raw.alias ?? {}).flatMap(([from, to]) => {
    const { kind, name } = parseCapability(from);
    if (kind === "ai" || kind === "event") {
      const hint = kind === "ai" ? "alias its tools instead" : "topics are the same for everybody";
      diagnostics.error(context.place(raw, "alias"), `Plugin "${id}": there are no aliases for "${kind}:"`, hint);
      return [];
    }
    if (kind === "http" && !isHttpRoute(to)) {
      diagnostics.error(context.place(raw, "alias"), `Plugin "${id}": "${to}" is no route`, "write it like /files");
      return [];
    }
    if (name !== "" && to !== "" && !/[*\s]/.test(name + to)) return [{ kind, name, as: to }];
    diagnostics.error(context.place(raw, "alias"), `Plugin "${id}": alias "${from}: ${to}" must be two plain names`);
    return [];
  });
}
