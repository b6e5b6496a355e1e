import { ErrorCode, HubError } from "@orchestrator/protocol";

/** What the command line said. `values` holds the plugin's own flags, each with its default where it was not given. */
export interface Flags {
  /** Where the hub listens, or "" to serve without one. */
  readonly orchestratorAddr: string;
  readonly listenAddr: string;
  readonly certsDir: string;
  readonly manifest: boolean;
  readonly help: boolean;
  readonly values: Readonly<Record<string, string>>;
}

/** The flags that hosts pass to every plugin: name → default and meaning. */
const HOST_FLAGS: Readonly<Record<string, readonly [fallback: string, meaning: string]>> = {
  "orchestrator-addr": ["", "where the hub listens; without it the plugin serves and makes no calls of its own"],
  "listen-addr": ["localhost:0", "where to serve; port 0 lets the system choose"],
  "certs-dir": ["~/.orchestra/certs", "where the certificates are"],
};
const SWITCHES: Readonly<Record<string, string>> = {
  manifest: "print the manifest as JSON and exit",
  help: "print this text and exit",
};

/** Names that a plugin cannot use for flags of its own. */
export function isReservedFlag(name: string): boolean {
  return name === "h" || Object.hasOwn(HOST_FLAGS, name) || Object.hasOwn(SWITCHES, name);
}

/**
 * Reads a plugin's command line. Existing hosts write `--name=value`, others `--name value`; one dash will do, and where a
 * flag is repeated the last one wins, so that a host's flags beat those that an operator configured before them.
 * @throws {HubError} `INVALID_ARGUMENT` on an unknown flag, a missing value or a word that belongs to no flag
 */
export function parseFlags(argv: readonly string[], own: Readonly<Record<string, string>> = {}): Flags {
  const values: Record<string, string> = { ...own };
  const host: Record<string, string> = {};
  const switches = new Set<string>();
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word);
    if (match === null) throw wrong(`Unexpected argument "${word}"`);
    const name = match[1] === "h" ? "help" : match[1]!;
    if (Object.hasOwn(SWITCHES, name)) {
      readSwitch(switches, name, match[2]);
      continue;
    }
    if (!Object.hasOwn(HOST_FLAGS, name) && !Object.hasOwn(own, name)) throw wrong(`Unknown flag "--${name}"`);
    const value = match[2] ?? argv[++index];
    if (value === undefined) throw wrong(`Flag "--${name}" needs a value`);
    (Object.hasOwn(HOST_FLAGS, name) ? host : values)[name] = value;
  }
  return {
    orchestratorAddr: host["orchestrator-addr"] ?? "",
    // An empty value means "not set" to existing hosts, so it must not become an empty address.
    listenAddr: host["listen-addr"] || HOST_FLAGS["listen-addr"]![0],
    certsDir: host["certs-dir"] || HOST_FLAGS["certs-dir"]![0],
    manifest: switches.has("manifest"),
    help: switches.has("help"),
    values,
  };
}

/** The text of `--help`. */
export function usage(program: string, own: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries(HOST_FLAGS).map(([name, [fallback, meaning]]) =>
    row(`${name} VALUE`, meaning, fallback),
  );
  for (const [name, meaning] of Object.entries(SWITCHES)) lines.push(row(name, meaning, ""));
  for (const [name, fallback] of Object.entries(own)) lines.push(row(`${name} VALUE`, "", fallback));
  return `Usage: ${program} [flags]\n\n${lines.join("\n")}\n`;
}

function row(flag: string, meaning: string, fallback: string): string {
  const note = fallback === "" ? meaning : `${meaning} (default ${fallback})`.trim();
  return `  --${flag.padEnd(26)} ${note}`.trimEnd();
}

function readSwitch(switches: Set<string>, name: string, value: string | undefined): void {
  if (value === undefined || /^(1|t|true)$/i.test(value)) switches.add(name);
  else if (/^(0|f|false)$/i.test(value)) switches.delete(name);
  else throw wrong(`Flag "--${name}" is a switch: "${value}" is neither true nor false`);
}

function wrong(message: string): HubError {
  return new HubError(ErrorCode.InvalidArgument, message);
}
