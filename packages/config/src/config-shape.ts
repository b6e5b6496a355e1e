import { HTTP_ROUTE_PATTERN } from "./capability.ts";
import type { RecordOf } from "./shape.ts";
import { storeFields } from "./store-fields.ts";
import { supervisionFields, timeoutMs } from "./supervision-shape.ts";

/** Ids stand in certificate names and in file names, so they hold nothing that means something there. */
const PLUGIN_ID = {
  source: "[A-Za-z0-9][A-Za-z0-9._-]{0,99}",
  name: "an id of letters, digits, dots, dashes and underscores",
};
const PORT = "(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})";
const ADDRESS = {
  source: `(?:\\[[0-9a-fA-F:.%]+\\]|[^\\[\\]:\\s]*):${PORT}`,
  name: "host:port",
} as const;
const USE = {
  source: "(?:(?:tool|prompt|storage|ai|event|http):)?[^\\s:][^\\s]{0,199}",
  name: "a capability such as get_feature, tool:get_*, prompt:setup or storage:markdown",
};
const ROUTE = {
  source: HTTP_ROUTE_PATTERN,
  name: 'a route such as /files or /files/search, without "/" at the end',
} as const;
/** One entry of `plugins`. */
export const pluginFields = {
  id: { kind: "text", pattern: PLUGIN_ID, description: "Names the plugin in routes, logs and this file. Required." },
  binary: {
    kind: "path",
    description:
      "The program. A relative path starts at this file's directory, also as `./name`; PATH is never searched.",
  },
  command: {
    kind: "texts",
    description:
      "Program and first arguments, in place of `binary`. A bare name is searched in PATH; one with a slash, and an argument that begins with `./`, `../` or `~/`, starts at this file's directory.",
  },
  enabled: { kind: "flag", description: "Whether the plugin is started.", defaultText: "true" },
  dialect: {
    kind: "choice",
    values: ["orchestra", "unix-json"],
    description:
      "How the hub speaks with it: `unix-json` is for plugins that listen on a Unix socket and exchange length-prefixed JSON.",
    defaultText: "orchestra",
  },
  kv_form: {
    kind: "choice",
    values: ["sdk", "docs", "none"],
    description:
      "With `unix-json`: how the plugin reads questions about its own store. `sdk` serves nearly all; `docs` those that look for the action in lower case right in the payload; `none` offers no store.",
    defaultText: "sdk",
  },
  connections: {
    kind: "count",
    minimum: 1,
    maximum: 64,
    description: "With `unix-json`: connections at once. Unless told, the hub finds out how many it serves.",
    defaultText: "1, up to 16 where it does",
  },
  args: {
    kind: "texts",
    description:
      "Arguments before those of the hub. Exactly `--workspace=.` becomes `--workspace=<workspace>`; nothing else is rewritten.",
    defaultText: "[]",
  },
  cwd: { kind: "path", description: "Working directory of the process.", defaultText: "the workspace" },
  env: { kind: "textMap", description: "Environment variables for the plugin.", defaultText: "{}" },
  pass_env: {
    kind: "texts",
    description:
      "Names of variables of the hub's own environment that the plugin also receives. Nothing else is inherited but PATH, HOME, locale and the like.",
    defaultText: "[]",
  },
  config: {
    kind: "textMap",
    description: "Sent to the plugin in `boot`. Values are taken as they are written.",
    defaultText: "{}",
  },
  provides_storage: {
    kind: "texts",
    description: "Storage types that it serves, besides those in its manifest.",
    defaultText: "[]",
  },
  provides_ai: {
    kind: "texts",
    description: "AI providers that it serves, besides those in its manifest.",
    defaultText: "[]",
  },
  provides_http: {
    kind: "texts",
    pattern: ROUTE,
    description: "HTTP routes that it serves, besides those in its manifest.",
    defaultText: "[]",
  },
  depends_on: {
    kind: "texts",
    description: "Ids of plugins that must be ready before this one starts.",
    defaultText: "[]",
  },
  needs_storage: {
    kind: "texts",
    description: "Replaces what its manifest says it needs.",
    defaultText: "from the manifest",
  },
  needs_tools: {
    kind: "texts",
    description: "Replaces what its manifest says it needs; `*` is any tool.",
    defaultText: "from the manifest",
  },
  needs_ai: {
    kind: "texts",
    description: "Replaces what its manifest says it needs.",
    defaultText: "from the manifest",
  },
  needs_events: {
    kind: "texts",
    description: "Replaces the topics its manifest subscribes to.",
    defaultText: "from the manifest",
  },
  needs_http: {
    kind: "texts",
    description: "Replaces the HTTP routes of other plugins that its manifest says it calls; `*` is any.",
    defaultText: "from the manifest",
  },
  start_timeout_ms: timeoutMs("From the start of the process until the plugin serves.", "10000"),
  call_timeout_ms: timeoutMs(
    "Deadline of a call to this plugin where the caller set none. With `provides_ai` it is 600000, unless `default_timeout_ms` is set.",
    "default_timeout_ms",
  ),
  max_calls_in_flight: {
    kind: "count",
    minimum: 1,
    maximum: 1_000_000,
    description: "Calls that may run in the plugin at once; more are refused with RESOURCE_EXHAUSTED.",
    defaultText: "1024",
  },
  restart: {
    kind: "choice",
    values: ["always", "on-failure", "never"],
    description: "What to do when the process ends by itself: `on-failure` leaves one that ended with code 0 alone.",
    defaultText: "always",
  },
  ...supervisionFields,
  alias: {
    kind: "textMap",
    description:
      "Name in the plugin → name under which the hub offers it. Resolves a collision; `prompt:`, `storage:` and `http:` may precede the name.",
    defaultText: "{}",
  },
  prefer: {
    kind: "texts",
    pattern: USE,
    description: "Capabilities (patterns) for which this plugin wins where two offer the same name.",
    defaultText: "[]",
  },
  allow: {
    kind: "texts",
    pattern: USE,
    description: "Capabilities (patterns) that this plugin may use beyond what it needs.",
    defaultText: "[]",
  },
  deny: {
    kind: "texts",
    pattern: USE,
    description: "Capabilities (patterns) that this plugin may not use, whatever it needs.",
    defaultText: "[]",
  },
} as const;

export const policyFields = {
  name: { kind: "text", description: "Shown to whoever is denied.", defaultText: "policy[<index>]" },
  effect: { kind: "choice", values: ["allow", "deny"], description: "What happens when the rule matches. Required." },
  caller: {
    kind: "text",
    description: "Id of the caller, as in its certificate; `*` stands for any characters.",
    defaultText: "*",
  },
  use: { kind: "texts", pattern: USE, description: "Capabilities (patterns) that the rule is about. Required." },
} as const;

/** The file. */
export const hubFields = {
  listen_addr: {
    kind: "text",
    pattern: ADDRESS,
    description: "Where plugins and clients reach the hub (QUIC). Port 0 takes a free one.",
    defaultText: "localhost:50100",
  },
  certs_dir: {
    kind: "path",
    description: "Certificate authority and certificates.",
    defaultText: "~/.orchestra/certs",
  },
  workspace: {
    kind: "path",
    description: "Directory whose data the plugins work on.",
    defaultText: "this file's directory",
  },
  state_dir: {
    kind: "path",
    description: "Where the hub keeps its own state for this workspace.",
    defaultText: "~/.orchestra/state/<workspace>",
  },
  default_timeout_ms: timeoutMs(
    "Deadline of a call where neither the caller nor the plugin's entry sets one.",
    "30000",
  ),
  allow_anonymous_peers: {
    kind: "flag",
    description:
      'Admit peers without a client certificate, for old bridges. They have the name "" and only what policy grants; loopback only.',
    defaultText: "false",
  },
  max_starts_at_once: {
    kind: "count",
    minimum: 1,
    maximum: 1_000,
    description: "How many plugins may be starting at the same time; the others wait their turn.",
    defaultText: "twice the processors, at least 4",
  },
  tcp_addr: {
    kind: "text",
    pattern: ADDRESS,
    description: "Address of the TCP listener, loopback only. It is off unless `tcp.enabled` says otherwise.",
    defaultText: "localhost:50101",
  },
  tcp: {
    kind: "group",
    description: "The TCP listener, for programs that cannot open QUIC.",
    fields: {
      enabled: { kind: "flag", description: "Whether to listen.", defaultText: "false" },
      token_file: {
        kind: "path",
        description: "File with the token that a client must send first; made when it is missing.",
        defaultText: "<state_dir>/tcp-token",
      },
      tls: {
        kind: "flag",
        description: "TLS 1.3 with client certificates, in place of the token.",
        defaultText: "false",
      },
    },
  },
  log: {
    kind: "group",
    description: "The hub's own log.",
    fields: {
      level: {
        kind: "choice",
        values: ["debug", "info", "warn", "error"],
        description: "Least severity that is written.",
        defaultText: "info",
      },
      format: {
        kind: "choice",
        values: ["text", "json"],
        description: "One line per entry, for people or for programs.",
        defaultText: "text",
      },
      file: { kind: "path", description: "Where to write.", defaultText: "standard error" },
    },
  },
  notify: {
    kind: "group",
    description: "Who is told when a plugin is given up.",
    fields: {
      command: {
        kind: "texts",
        description: "Program and arguments; it gets the event as JSON on its standard input. No shell is involved.",
      },
      webhook: {
        kind: "text",
        pattern: { source: "https?://[^\\s]+", name: "an address such as https://example.org/hook" },
        description: "An address that the event is posted to as JSON.",
      },
      timeout_ms: timeoutMs("How long either may take.", "10000"),
    },
  },
  store: {
    kind: "group",
    description: "The hub's database: entries that plugins keep in it, and what happened to plugins.",
    fields: storeFields,
  },
  policy: {
    kind: "groups",
    description:
      "Who may use what. The first rule that matches decides; then the entries' `deny` and `allow`, then what the caller's manifest needs.",
    fields: policyFields,
  },
  plugin_dirs: {
    kind: "texts",
    description:
      "Directories whose `*.binary` are plugins of the dialect `unix-json`: each is asked what it is with `--metadata`. One that is missing is made.",
    defaultText: "[]",
  },
  plugins: { kind: "groups", description: "The plugins. Independent ones start in parallel.", fields: pluginFields },
} as const;

export type RawHub = RecordOf<typeof hubFields>;
export type RawPlugin = RecordOf<typeof pluginFields>;
export type RawPolicy = RecordOf<typeof policyFields>;
