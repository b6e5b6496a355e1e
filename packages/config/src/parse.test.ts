import { describe, expect, it } from "vitest";
import { foundPlugin, type ParseOptions, parseConfig, requireConfig } from "./index.ts";

const base: ParseOptions = { path: "/etc/orchestra/plugins.yaml", cwd: "/run", home: "/home/ada" };

function config(text: string, options: ParseOptions = {}) {
  return requireConfig(parseConfig(text, { ...base, ...options }));
}

function plugin(entry: string, head = "") {
  return config(`${head}\nplugins:\n  - ${entry.replaceAll("\n", "\n    ")}\n`).plugins[0]!;
}

describe("defaults", () => {
  it("an empty file gives every default", () => {
    expect(config("")).toEqual({
      file: "/etc/orchestra/plugins.yaml",
      directory: "/etc/orchestra",
      listenAddr: "localhost:50100",
      certsDir: "/home/ada/.orchestra/certs",
      workspace: "/etc/orchestra",
      stateDir: expect.stringMatching(/^\/home\/ada\/\.orchestra\/state\/orchestra-[0-9a-f]{8}$/),
      defaultTimeoutMs: 30_000,
      allowAnonymousPeers: false,
      maxStartsAtOnce: undefined,
      tcp: { enabled: false, addr: "localhost:50101", tokenFile: expect.stringMatching(/\/tcp-token$/), tls: false },
      log: { level: "info", format: "text", file: undefined },
      notify: { command: [], webhook: undefined, timeoutMs: 10_000 },
      store: {
        file: "/home/ada/.orchestra/state/orchestra-51a5dcf2/orchestra.db",
        kvMaxBytes: 67_108_864,
        kvMaxEntries: 100_000,
        eventsMaxAgeMs: 604_800_000,
        eventsMax: 100_000,
      },
      policy: [],
      pluginDirs: [],
      plugins: [],
    });
  });

  it("an entry with nothing but id and binary is enabled and has every default", () => {
    expect(plugin("id: a\nbinary: a")).toEqual({
      id: "a",
      enabled: true,
      dialect: "orchestra",
      kvForm: "sdk",
      connections: undefined,
      program: "/etc/orchestra/a",
      args: [],
      cwd: undefined,
      env: {},
      passEnv: [],
      config: {},
      providesStorage: [],
      providesAi: [],
      providesHttp: [],
      dependsOn: [],
      needsStorage: undefined,
      needsTools: undefined,
      needsAi: undefined,
      needsEvents: undefined,
      needsHttp: undefined,
      startTimeoutMs: 10_000,
      callTimeoutMs: 30_000,
      maxCallsInFlight: 1024,
      restart: "always",
      maxCrashes: 10,
      crashWindowMs: 600_000,
      restartMode: "beside",
      drainMs: 30_000,
      restartWithDependencies: false,
      activation: "eager",
      idleStopMs: 0,
      health: { intervalMs: 5_000, timeoutMs: 5_000, failures: 3, restart: true, busyMs: 30_000 },
      circuit: { failures: 10, coolDownMs: 1_000 },
      limits: { memoryBytes: undefined, cpus: undefined, processes: undefined },
      aliases: [],
      prefer: [],
      line: 3,
    });
  });

  it("reads limits in the units that people write", () => {
    const none = { memoryBytes: undefined, cpus: undefined, processes: undefined };
    expect(plugin("id: a\nbinary: a\nlimits: {memory: 512M, cpu: 1.5, processes: 64}").limits).toEqual({
      memoryBytes: 536_870_912,
      cpus: 1.5,
      processes: 64,
    });
    for (const [text, bytes] of Object.entries({
      "1.5GiB": 1.5 * 1024 ** 3,
      "2097152": 2_097_152,
      "2048K": 2_097_152,
    })) {
      expect(plugin(`id: a\nbinary: a\nlimits: {memory: ${text}}`).limits).toEqual({ ...none, memoryBytes: bytes });
    }
  });

  it.each([
    ["memory: lots", "a size such as 512M"],
    ["memory: 5K", "cannot run within 5K of memory"],
    ["cpu: 0", "cannot run within 0 processors"],
    ["cpu: all", "a number of processors"],
    ["processes: 0", "limits.processes"],
  ])("refuses limits of %s", (text, why) => {
    const { diagnostics } = parseConfig(`plugins:\n  - {id: a, binary: a, limits: {${text}}}`, base);
    expect(diagnostics[0]?.message).toContain(why);
  });

  it("a lazy plugin has an idle time; the patience with a busy one is that with a call", () => {
    expect(plugin("id: a\nbinary: a\nactivation: lazy").idleStopMs).toBe(300_000);
    expect(plugin("id: a\nbinary: a\nactivation: lazy\nidle_stop_ms: 0").idleStopMs).toBe(0);
    expect(plugin("id: a\nbinary: a\ncall_timeout_ms: 7\nhealth: {interval_ms: 0, failures: 1}").health).toEqual({
      intervalMs: 0,
      timeoutMs: 5_000,
      failures: 1,
      restart: true,
      busyMs: 7,
    });
    const { diagnostics } = parseConfig("plugins:\n  - {id: a, binary: a, health: {failures: 0}}", base);
    expect(diagnostics[0]?.message).toContain("health.failures");
    expect(plugin("id: a\nbinary: a\ncircuit: {failures: 0, cool_down_ms: 9}").circuit).toEqual({
      failures: 0,
      coolDownMs: 9,
    });
    expect(parseConfig("notify: {webhook: ftp://x}", base).diagnostics[0]?.message).toContain("notify.webhook");
    expect(config("notify: {command: [mail, root], webhook: http://h/x}").notify).toMatchObject({
      command: ["mail", "root"],
      webhook: "http://h/x",
    });
  });

  it("a key with nothing behind it is the same as no key", () => {
    expect(plugin("id: a\nbinary: a\nenabled:\nargs:\nenv:\nrestart: ~").enabled).toBe(true);
    expect(config("listen_addr:\ntcp:\nplugins:\n").listenAddr).toBe("localhost:50100");
  });
});

describe("paths", () => {
  it.each([
    ["./name", "/etc/orchestra/name"],
    ["name", "/etc/orchestra/name"],
    ["bin/name", "/etc/orchestra/bin/name"],
    ["../name", "/etc/name"],
    ["/opt/name", "/opt/name"],
    ["~/name", "/home/ada/name"],
    ["'~'", "/home/ada"],
    ["~bob/name", "/etc/orchestra/~bob/name"],
  ])("binary %s is %s", (written, expected) => {
    expect(plugin(`id: a\nbinary: ${written}`).program).toBe(expected);
  });

  it("a bare first word of command is left to PATH, anything with a slash starts at the file", () => {
    expect(plugin("id: a\ncommand: [node, ./a.ts, ../b, -x/y, plain/z]")).toMatchObject({
      program: "node",
      args: ["/etc/orchestra/a.ts", "/etc/b", "-x/y", "plain/z"],
    });
    expect(plugin("id: a\ncommand: [./run.sh]").program).toBe("/etc/orchestra/run.sh");
  });

  it("exactly --workspace=. is rewritten, to the absolute workspace", () => {
    const args = "args: [--workspace=., --workspace, ., --workspace=./x, -workspace=.]";
    const rest = ["--workspace", ".", "--workspace=./x", "-workspace=."];
    expect(plugin(`id: a\nbinary: a\n${args}`).args).toEqual(["--workspace=/etc/orchestra", ...rest]);
    expect(plugin(`id: a\nbinary: a\n${args}`, "workspace: ~/w").args).toEqual(["--workspace=/home/ada/w", ...rest]);
  });

  it("paths of the file start at the file, those of flags and variables at the working directory", () => {
    expect(config("certs_dir: certs").certsDir).toBe("/etc/orchestra/certs");
    expect(config("", { env: { ORCHESTRATOR_CERTS_DIR: "certs" } }).certsDir).toBe("/run/certs");
    expect(config("", { flags: { "certs-dir": "~/certs" } }).certsDir).toBe("/home/ada/certs");
    expect(config("state_dir: s\ntcp: {token_file: t}").tcp.tokenFile).toBe("/etc/orchestra/t");
    expect(config("state_dir: s").tcp.tokenFile).toBe("/etc/orchestra/s/tcp-token");
  });

  it("a relative config file makes an absolute directory", () => {
    expect(config("", { path: "sub/p.yaml" })).toMatchObject({ file: "/run/sub/p.yaml", directory: "/run/sub" });
  });

  it("two workspaces of one name have two state directories", () => {
    const state = (workspace: string) => config(`workspace: ${workspace}`).stateDir;
    expect(state("/a/app")).toMatch(/\/app-[0-9a-f]{8}$/);
    expect(state("/a/app")).not.toBe(state("/b/app"));
  });
});

describe("values", () => {
  it("texts stay as they are written", () => {
    const { config: map, env } = plugin(
      "id: a\nbinary: a\nconfig: {v: 1.0, hex: 0x1F, day: 2020-01-01, yes: yes, nothing: ~, quoted: '', t: true}\nenv: {N: 1_000, __proto__: x}",
    );
    expect(map).toEqual({ v: "1.0", hex: "0x1F", day: "2020-01-01", yes: "yes", nothing: "", quoted: "", t: "true" });
    expect(Object.entries(env)).toEqual([
      ["N", "1_000"],
      ["__proto__", "x"],
    ]);
  });

  it("a block text and escapes are decoded", () => {
    expect(plugin('id: a\nbinary: a\nconfig:\n  block: |\n    one\n    two\n  escaped: "a\\tb"').config).toEqual({
      block: "one\ntwo\n",
      escaped: "a\tb",
    });
  });

  it.each(["yes", "on", "TRUE", "y"])("enabled: %s is true, as older readers have it", (word) => {
    expect(plugin(`id: a\nbinary: a\nenabled: ${word}`).enabled).toBe(true);
  });

  it.each(["no", "off", "False", "n"])("enabled: %s is false", (word) => {
    expect(plugin(`id: a\nbinary: a\nenabled: ${word}`).enabled).toBe(false);
  });

  it("anchors and merge keys work, own keys win", () => {
    const text = `
x-base: &base {restart: never, env: {A: "1"}}
x-more: &more {<<: *base, restart: on-failure, start_timeout_ms: 5}
plugins:
  - {<<: *base, id: a, binary: a}
  - {<<: [*more, *base], id: b, binary: b, start_timeout_ms: 7}
`;
    expect(config(text).plugins).toMatchObject([
      { id: "a", restart: "never", env: { A: "1" } },
      { id: "b", restart: "on-failure", startTimeoutMs: 7, env: { A: "1" } },
    ]);
  });

  it("JSON is read as well", () => {
    expect(
      config(JSON.stringify({ plugins: [{ id: "a", binary: "/a", max_calls_in_flight: 3 }] })).plugins,
    ).toMatchObject([{ id: "a", program: "/a", maxCallsInFlight: 3 }]);
  });

  it("a plugin's call deadline follows that of the hub", () => {
    expect(plugin("id: a\nbinary: a", "default_timeout_ms: 1_500").callTimeoutMs).toBe(1500);
    expect(plugin("id: a\nbinary: a\ncall_timeout_ms: 9", "default_timeout_ms: 1500").callTimeoutMs).toBe(9);
  });

  it("a model may think for ten minutes, unless somebody said how long calls may take", () => {
    const model = "id: a\nbinary: a\nprovides_ai: [claude]";
    expect(plugin(model).callTimeoutMs).toBe(600_000);
    expect(plugin(model, "default_timeout_ms: 1500").callTimeoutMs).toBe(1500);
    expect(plugin(`${model}\ncall_timeout_ms: 9`).callTimeoutMs).toBe(9);
    expect(plugin("id: a\nbinary: a\nprovides_ai: []").callTimeoutMs).toBe(30_000);
  });

  it("an address without host is every interface, an IPv6 host stands in brackets", () => {
    expect(config("listen_addr: ':5000'").listenAddr).toBe("0.0.0.0:5000");
    expect(config("listen_addr: '[::1]:0'").listenAddr).toBe("[::1]:0");
  });
});

describe("names and rules", () => {
  it("takes HTTP routes that need no escape, and how many plugins may start at once", () => {
    expect(config("max_starts_at_once: 3").maxStartsAtOnce).toBe(3);
    expect(plugin("id: a\nbinary: a\nprovides_http: [/a, /a/b.c]\nneeds_http: ['*']")).toMatchObject({
      providesHttp: ["/a", "/a/b.c"],
      needsHttp: ["*"],
    });
    for (const route of ["a", "/", "/a/", "/../a", "/a b", "/a%2fb", "//a"]) {
      const { diagnostics } = parseConfig(`plugins:\n  - {id: a, binary: a, provides_http: ["${route}"]}`, base);
      expect(diagnostics[0]?.message).toContain("must be a route");
    }
  });

  it.each(["ai:claude", "event:t"])("refuses an alias for %s, which nothing would heed", (from) => {
    const { diagnostics } = parseConfig(`plugins:\n  - {id: a, binary: a, alias: {"${from}": other}}`, base);
    expect(diagnostics[0]?.message).toContain("no aliases");
  });

  it("aliases and preferences know their kind", () => {
    expect(
      plugin("id: a\nbinary: a\nalias: {get: a_get, 'prompt:p': q}\nprefer: ['*', 'storage:markdown']"),
    ).toMatchObject({
      aliases: [
        { kind: "tool", name: "get", as: "a_get" },
        { kind: "prompt", name: "p", as: "q" },
      ],
      prefer: [
        { kind: "tool", name: "*" },
        { kind: "storage", name: "markdown" },
      ],
    });
  });

  it("the operator's rules come first, then each entry's deny and allow", () => {
    const text = `
policy:
  - {effect: deny, use: ["tool:delete_*"]}
  - {name: reader, effect: allow, caller: "cli-*", use: [get_x, "event:*"]}
plugins:
  - {id: a, binary: a, allow: ["tool:x"], deny: ["storage:*"]}
`;
    expect(config(text).policy).toEqual([
      { name: "policy[0]", effect: "deny", caller: "*", use: [{ kind: "tool", name: "delete_*" }] },
      {
        name: "reader",
        effect: "allow",
        caller: "cli-*",
        use: [
          { kind: "tool", name: "get_x" },
          { kind: "event", name: "*" },
        ],
      },
      { name: "plugins[a].deny", effect: "deny", caller: "a", use: [{ kind: "storage", name: "*" }] },
      { name: "plugins[a].allow", effect: "allow", caller: "a", use: [{ kind: "tool", name: "x" }] },
    ]);
  });
});

describe("plugins on Unix sockets", () => {
  it("are entries like others, with keys of their own", () => {
    expect(plugin("id: a\nbinary: a\ndialect: unix-json\nkv_form: docs\nconnections: 4")).toMatchObject({
      dialect: "unix-json",
      kvForm: "docs",
      connections: 4,
    });
    expect(parseConfig("plugins: [{ id: a, binary: a, dialect: json }]", base).diagnostics[0]?.message).toContain(
      "orchestra, unix-json",
    );
  });

  it("are found in directories, whose paths start at the file's own", () => {
    expect(config("plugin_dirs: [plugins, ~/more, /opt/p]").pluginDirs).toEqual([
      "/etc/orchestra/plugins",
      "/home/ada/more",
      "/opt/p",
    ]);
  });

  it("that are found have every default", () => {
    const found = foundPlugin("hello", "/opt/p/hello.binary", config("default_timeout_ms: 5000"));
    const entry = plugin("id: hello\nbinary: /opt/p/hello.binary\ndialect: unix-json", "default_timeout_ms: 5000");
    expect(found).toEqual({ ...entry, line: 0 });
    expect(() => foundPlugin("orchestrator-x", "/x", config(""))).toThrow(TypeError);
  });
});
