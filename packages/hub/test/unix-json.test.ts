import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { isAlive, request } from "../src/testing/index.ts";
import { PluginDirectory, UnixJsonHub } from "./unix-json-hub.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("plugins in a directory", () => {
  it("run and answer, beside others that cannot; those are problems that are shown", async () => {
    using directory = new PluginDirectory();
    directory.add("good");
    directory.script("exits.binary", "exit 1");
    directory.script("json.binary", "echo hello");
    directory.script("twin.binary", `echo '{"id":"good","name":"","version":"1","route":"/twin"}'`);
    await using hub = await UnixJsonHub.start(directory);
    expect(hub.test.hub.plugins.map(({ id, supervised: { state, pid } }) => [id, state.name, pid > 0])).toEqual([
      ["good", "ready", true],
    ]);
    expect((await hub.http("good", "/")).json()).toMatchObject({ message: "hello" });
    const { problems } = hub.test.hub.status();
    expect(problems).toEqual([
      expect.stringContaining("exits.binary"),
      expect.stringContaining("json.binary"),
      expect.stringMatching(/twin\.binary": its id "good" is that of/),
    ]);
    const logged = hub.test.hub.log.tail(100).filter(({ level }) => level === "error");
    expect(logged.map(({ text }) => text)).toEqual(problems);
  });

  it("may be none, in a directory that is made", async () => {
    using directory = new PluginDirectory();
    const missing = join(directory.root, "not", "there");
    await using hub = await UnixJsonHub.start(directory, { config: { plugin_dirs: [missing] } });
    expect([statSync(missing).isDirectory(), hub.test.hub.status().problems]).toEqual([true, []]);
  });

  it("are left to an entry of the configuration that names the same program, or the same id", async () => {
    using directory = new PluginDirectory();
    const own = directory.add("own");
    directory.add("taken");
    const plugins = [
      { id: "own", binary: own, dialect: "unix-json", kv_form: "none" },
      { id: "taken", binary: own, dialect: "unix-json", enabled: false },
    ];
    await using hub = await UnixJsonHub.start(directory, { plugins });
    expect((await hub.http("own", "/")).status).toBe(200);
    expect(hub.plugin("own").offer?.tools).toEqual([]);
    expect(hub.test.hub.status().problems).toEqual([expect.stringContaining("an entry of the configuration")]);
  });

  it("have routes of several segments", async () => {
    using directory = new PluginDirectory();
    directory.add("deep", {}, "/a/b");
    await using hub = await UnixJsonHub.start(directory);
    const value = { route: "/a/b", method: "GET", path: "/echo?x=1", headers: [], body: new Uint8Array() };
    const { response } = await request(hub.operator, { $case: "http", value });
    expect(response).toMatchObject({ $case: "http", value: { status: 201 } });
  });
});

describe("the id of the installation", () => {
  it("is told to every plugin after every start, and stays over restarts of plugin and hub", async () => {
    using directory = new PluginDirectory();
    directory.add("a");
    directory.add("b", { READING: "docs" });
    const told = async (hub: UnixJsonHub, id: string) => (await hub.http(id, "/")).json().instance_id as string;
    const seen: string[] = [];
    for (let run = 0; run < 2; run += 1) {
      await using hub = await UnixJsonHub.start(directory);
      seen.push(await told(hub, "a"), await told(hub, "b"));
      await hub.plugin("a").supervised.restart();
      seen.push(await told(hub, "a"));
      process.kill(hub.plugin("b").supervised.pid, "SIGKILL");
      await hub.plugin("b").supervised.reached("backoff");
      await hub.plugin("b").supervised.reached("ready");
      seen.push(await told(hub, "b"));
    }
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toMatch(UUID);
    expect(readFileSync(join(directory.root, "state", "instance-id"), "utf8")).toBe(`${seen[0]}\n`);
  });
});

describe.each([
  ["the SDK, with its own KV answers", "sdk", "sdk"],
  ["the SDK, with KV answers as HTTP messages", "sdk-http-kv", "sdk"],
  ["an early SDK, with its own KV questions", "sdk-early", "sdk"],
  ["the Python example", "python", "sdk"],
  ["the documents", "docs", "docs"],
])("a plugin in the form of %s", (_, reading, kvForm) => {
  it("gets requests whole and gives answers whole, HTTP and KV, each with its id", async () => {
    using directory = new PluginDirectory();
    const seen = join(directory.root, "seen");
    const binary = directory.add("p", { READING: reading, SEEN: seen });
    const plugins = [{ id: "p", binary, dialect: "unix-json", kv_form: kvForm }];
    await using hub = await UnixJsonHub.start(directory, { plugins });
    const headers = [
      { name: "x-one", value: "1" },
      { name: "accept", value: "a" },
      { name: "accept", value: "b" },
    ];
    const answer = await hub.http("p", "/echo?b=1&c=%2F", { method: "PUT", body: Buffer.from("Zoë"), headers });
    expect([answer.status, answer.headers]).toMatchObject([201, [{ name: "content-type", value: "application/json" }]]);
    expect(answer.json()).toEqual({
      method: "PUT",
      path: "/echo?b=1&c=%2F",
      headers: { "x-one": "1", accept: "a, b" },
      body: "Zoë",
    });
    expect(await hub.kv("p", "get", { key: "k" })).toBeNull();
    expect(await hub.kv("p", "set", { key: "k", value: "v" })).toBeNull();
    expect(await hub.kv("p", "get", { key: "k" })).toBe("v");
    await hub.kv("p", "delete", { key: "k" });
    expect(await hub.kv("p", "get", { key: "k" })).toBeNull();
    const messages = readFileSync(seen, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(messages.map(({ type }) => type)).toEqual(["lifecycle", "http", "kv", "kv", "kv", "kv", "kv"]);
    expect(messages[0]).toMatchObject({ request_id: null, payload: { action: "init" } });
    for (const { request_id, payload } of messages.slice(1)) expect(payload.request_id).toBe(request_id);
  });

  it("serves many callers at once, one after the other", async () => {
    using directory = new PluginDirectory();
    directory.add("p", { READING: reading });
    await using hub = await UnixJsonHub.start(directory);
    const paths = Array.from({ length: 50 }, (_, index) => `/echo?${index}`);
    const answers = await Promise.all(paths.map((path) => hub.http("p", path)));
    expect(answers.map((answer) => answer.json().path)).toEqual(paths);
  });
});

describe("a small plugin in Python", () => {
  const isRequired = process.env["ORCHESTRATOR_REQUIRE"] === "all";
  it("is served as it is", async (context) => {
    if (!isRequired && spawnSync("python3", ["--version"]).error !== undefined) context.skip("python3 is absent");
    using directory = new PluginDirectory();
    const file = join(import.meta.dirname, "fixtures", "unix_json_plugin.py");
    directory.script("py.binary", `exec python3 '${file}' "$@"`);
    await using hub = await UnixJsonHub.start(directory);
    expect((await hub.http("py", "/")).json()).toEqual({ message: "hello", instance_id: expect.stringMatching(UUID) });
    expect(await hub.outcome("py", "/nowhere")).toBe(404);
    await hub.kv("py", "set", { key: "k", value: "v" });
    expect(await hub.kv("py", "get", { key: "k" })).toBe("v");
    // Its own mistakes it keeps to itself and its log, until the caller's patience is over; then it serves the next one.
    await expect(hub.http("py", "/raise", { timeoutMs: 300 })).rejects.toMatchObject({
      code: ErrorCode.DeadlineExceeded,
      message: expect.stringContaining("its log may say why"),
    });
    const told = async () => (await hub.test.hub.readPluginLog("py")).lines.map(({ message }) => message);
    await expect.poll(told).toContain("error: no such thing");
    const all = await Promise.all(Array.from({ length: 40 }, () => hub.outcome("py", "/")));
    expect(new Set(all)).toEqual(new Set([200]));
  });
});

describe("a plugin that does what it should not", () => {
  it.each([
    ["/garbage", ErrorCode.Protocol],
    ["/too-long", ErrorCode.Protocol],
    ["/half", ErrorCode.Protocol],
    ["/other-id", ErrorCode.Protocol],
    ["/twice", ErrorCode.Protocol],
    ["/hang-up", ErrorCode.Unavailable],
    ["/silent", ErrorCode.DeadlineExceeded],
  ])("%s: its caller is told %s, the next one is served, its neighbour does not notice", async (path, code) => {
    using directory = new PluginDirectory();
    directory.add("odd");
    directory.add("well");
    await using hub = await UnixJsonHub.start(directory);
    const odd = hub.outcome("odd", path, path === "/silent" ? 300 : 0);
    const neighbours = Promise.all(Array.from({ length: 10 }, () => hub.outcome("well", "/echo")));
    expect(await neighbours).toEqual(new Array(10).fill(201));
    expect(await odd).toBe(code);
    expect(await hub.outcome("odd", "/echo")).toBe(201);
    expect(hub.plugin("odd").supervised.starts).toBe(1);
  });

  it("crashes in a call: the caller hears of it at once, the plugin comes back", async () => {
    using directory = new PluginDirectory();
    directory.add("p");
    await using hub = await UnixJsonHub.start(directory);
    const { supervised } = hub.plugin("p");
    const before = supervised.pid;
    expect(await hub.outcome("p", "/crash")).toBe(ErrorCode.Unavailable);
    await supervised.reached("backoff");
    await supervised.reached("ready");
    expect([await hub.outcome("p", "/"), supervised.pid === before]).toEqual([200, false]);
  });

  const health = (busy_ms: number) => ({ interval_ms: 50, timeout_ms: 50, failures: 2, busy_ms });
  it("hangs: it is ended and started again", async () => {
    using directory = new PluginDirectory();
    const binary = directory.add("p");
    const plugins = [{ id: "p", binary, dialect: "unix-json", health: health(500) }];
    await using hub = await UnixJsonHub.start(directory, { plugins });
    const { supervised } = hub.plugin("p");
    const { pid } = supervised;
    expect(await hub.outcome("p", "/block?never", 100)).toBe(ErrorCode.DeadlineExceeded);
    // Calls that come meanwhile, and are not answered either, are no sign of life. One may be the last that it was given time for.
    expect([ErrorCode.DeadlineExceeded, ErrorCode.Unavailable]).toContain(await hub.outcome("p", "/", 100));
    await supervised.reached("backoff");
    await supervised.reached("ready");
    expect([await hub.outcome("p", "/"), supervised.pid === pid, isAlive(pid)]).toEqual([200, false, false]);
    const lines = hub.test.hub.log.tail(100).map(({ text }) => text);
    expect(lines.join("\n")).toMatch(/checks in a row were not answered; nothing was heard for \d+ ms/);
  });

  it("is slow, also beyond the patience of its callers: it is left alone", async () => {
    using directory = new PluginDirectory();
    const binary = directory.add("p");
    const plugins = [{ id: "p", binary, dialect: "unix-json", health: health(30_000) }];
    await using hub = await UnixJsonHub.start(directory, { plugins });
    const done = (name: string) => join(directory.root, name);
    const slow = hub.outcome("p", `/block?${done("first")}`);
    expect(await hub.outcome("p", "/", 100)).toBe(ErrorCode.DeadlineExceeded);
    writeFileSync(done("first"), "");
    expect(await slow).toBe(200);
    expect(await hub.outcome("p", `/block?${done("second")}`, 100)).toBe(ErrorCode.DeadlineExceeded);
    const told = () =>
      hub.test.hub.log
        .tail(100)
        .map(({ text }) => text)
        .join("\n");
    await expect.poll(told).toContain("unhealthy: ");
    writeFileSync(done("second"), "");
    await expect.poll(told).toContain("it answers again");
    expect([await hub.outcome("p", "/"), hub.plugin("p").supervised.starts]).toEqual([200, 1]);
  });

  it.each(["exits", "never-listens"])("%s at its start: the hub says so, the others serve", async (behaviour) => {
    using directory = new PluginDirectory();
    directory.add("well");
    const binary = directory.add("ill", { BEHAVIOUR: behaviour });
    const start_timeout_ms = behaviour === "exits" ? 60_000 : 500;
    const plugins = [{ id: "ill", binary, dialect: "unix-json", start_timeout_ms }];
    await using hub = await UnixJsonHub.start(directory, { plugins, restart: { delaysMs: [60_000] } });
    const reason = behaviour === "exits" ? /exited with code 3 before it listened/ : /was not ready within 500 ms/;
    expect(hub.test.hub.status().problems).toEqual([expect.stringMatching(reason)]);
    expect(await hub.outcome("well", "/")).toBe(200);
    expect(await hub.outcome("ill", "/")).toBe(ErrorCode.Unavailable);
  });

  it("is silent: its queue fills up and refuses, while its neighbour and the operator are served", async () => {
    using directory = new PluginDirectory();
    const binary = directory.add("slow");
    directory.add("well");
    const plugins = [{ id: "slow", binary, dialect: "unix-json", max_calls_in_flight: 3 }];
    await using hub = await UnixJsonHub.start(directory, { plugins });
    const enough = new AbortController();
    const waiting = Array.from({ length: 3 }, () => hub.http("slow", "/silent", { signal: enough.signal }));
    const ends = Promise.allSettled(waiting);
    await expect.poll(() => hub.test.hub.status().callsInFlight).toBe(3);
    expect(await hub.outcome("slow", "/")).toBe(ErrorCode.ResourceExhausted);
    expect(await hub.outcome("well", "/")).toBe(200);
    const list = await request(hub.operator, {
      $case: "control",
      value: { command: { $case: "plugins", value: {} } },
    });
    expect(list.response).toMatchObject({
      value: {
        result: { value: { plugins: [{ id: "slow", dialect: "unix-json", routes: ["/slow"] }, { id: "well" }] } },
      },
    });
    enough.abort();
    expect((await ends).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    await expect.poll(() => hub.test.hub.status().callsInFlight).toBe(0);
    const late = Array.from({ length: 3 }, () => hub.outcome("slow", "/silent", 200));
    expect(new Set(await Promise.all(late))).toEqual(new Set([ErrorCode.DeadlineExceeded]));
    expect(await hub.outcome("slow", "/")).toBe(200);
  });
});

describe("a lazy plugin", () => {
  it("is listed without running, started once for all that ask, told its installation, and stopped when it is idle", async () => {
    using directory = new PluginDirectory();
    const binary = directory.add("p");
    const plugins = [{ id: "p", binary, dialect: "unix-json", activation: "lazy", idle_stop_ms: 100 }];
    await using hub = await UnixJsonHub.start(directory, { plugins });
    const { supervised, offer } = hub.plugin("p");
    expect([supervised.starts, offer?.http, offer?.tools.length]).toEqual([0, ["/p"], 3]);
    const started = supervised.reached("ready").then(() => supervised.pid);
    expect(await Promise.all([1, 2, 3, 4, 5].map((n) => hub.outcome("p", `/echo?${n}`)))).toEqual(
      new Array(5).fill(201),
    );
    expect(supervised.starts).toBe(1);
    const pid = await started;
    await supervised.reached("stopped");
    expect([isAlive(pid), supervised.state]).toMatchObject([false, { reason: "idle for 100 ms" }]);
    const [, answer] = await Promise.all([hub.kv("p", "set", { key: "k", value: "v" }), hub.http("p", "/")]);
    expect(answer.json().instance_id).toMatch(UUID);
    expect(supervised.starts).toBe(2);
  });
});

describe("what is asked for is not there", () => {
  it("an unknown route, a plugin that was stopped, a socket that is gone", async () => {
    using directory = new PluginDirectory();
    directory.add("p");
    // Nobody can ask it to end once its socket is gone.
    await using hub = await UnixJsonHub.start(directory, { shutdownMs: 100 });
    expect(await hub.outcome("nobody", "/")).toBe(ErrorCode.NotFound);
    unlinkSync(hub.socketOf("p"));
    expect(await hub.outcome("p", "/")).toBe(ErrorCode.Unavailable);
    await hub.plugin("p").supervised.restart();
    expect(await hub.outcome("p", "/")).toBe(200);
    await hub.plugin("p").supervised.stop();
    expect(await hub.outcome("p", "/")).toBe(ErrorCode.Unavailable);
  });

  it("a body that the plugin's protocol cannot carry", async () => {
    using directory = new PluginDirectory();
    directory.add("p");
    await using hub = await UnixJsonHub.start(directory);
    const answer = await hub.http("p", "/echo", { method: "POST", body: Buffer.from([0xff, 0x00]) });
    expect([answer.status, answer.text]).toEqual([415, expect.stringContaining("not UTF-8")]);
  });
});

describe("an operator", () => {
  it("switches a plugin off and on: it is gone and still listed, also for the next hub; then it serves and knows its installation", async () => {
    using directory = new PluginDirectory();
    directory.add("p");
    const command = async (hub: UnixJsonHub, value: object) => {
      const { response, error } = await request(hub.operator, { $case: "control", value: { command: value as never } });
      expect(error).toBeUndefined();
      return response;
    };
    const enable = (hub: UnixJsonHub, enabled: boolean) =>
      command(hub, { $case: "enable", value: { plugin: "p", enabled } });
    const listed = (hub: UnixJsonHub) => command(hub, { $case: "plugins", value: {} });
    const off = { value: { result: { value: { plugins: [{ id: "p", enabled: false, routes: ["/p"], pid: 0 }] } } } };
    {
      await using hub = await UnixJsonHub.start(directory);
      const { pid } = hub.plugin("p").supervised;
      const path = hub.socketOf("p");
      await enable(hub, false);
      expect([isAlive(pid), existsSync(path)]).toEqual([false, false]);
      expect(await listed(hub)).toMatchObject(off);
      expect(await hub.outcome("p", "/")).toBe(ErrorCode.NotFound);
    }
    await using hub = await UnixJsonHub.start(directory);
    expect(hub.plugin("p").supervised.pid).toBe(0);
    await enable(hub, true);
    expect((await hub.http("p", "/")).json().instance_id).toMatch(UUID);
  });

  it("is told why a new program is no good, by its name; the old one serves on", async () => {
    using directory = new PluginDirectory();
    directory.add("p");
    await using hub = await UnixJsonHub.start(directory);
    const { pid } = hub.plugin("p").supervised;
    const upgrade = () =>
      request(hub.operator, { $case: "control", value: { command: { $case: "upgrade", value: { plugin: "p" } } } });
    directory.script("p.binary", "echo no licence >&2; exit 1");
    expect((await upgrade()).error?.message).toMatch(
      /^The program "[^"]*p\.binary" of plugin "p" cannot be used\. It exited with code 1; it said: no licence\. The instance that/,
    );
    const metadata = JSON.stringify({ id: "p", name: "p", version: "2", route: "/p" });
    directory.script("p.binary", `[ "$1" = --metadata ] && echo '${metadata}' && exit; echo no licence >&2; exit 1`);
    expect((await upgrade()).error?.message).toMatch(/ {2}\| no licence\nThe instance that ran before serves on$/);
    expect([await hub.outcome("p", "/"), hub.plugin("p").supervised.pid]).toEqual([200, pid]);
  });

  it("replaces a plugin that is in use: no call fails", async () => {
    using directory = new PluginDirectory();
    directory.add("p", { READING: "docs" });
    await using hub = await UnixJsonHub.start(directory);
    const before = [hub.plugin("p").supervised.pid, hub.socketOf("p")];
    let isOver = false;
    const outcomes: (number | string)[] = [];
    const load = (async () => {
      while (!isOver) outcomes.push(await hub.outcome("p", "/echo"));
    })();
    await expect.poll(() => outcomes.length).toBeGreaterThan(5);
    const { error } = await request(hub.operator, {
      $case: "control",
      value: { command: { $case: "upgrade", value: { plugin: "p" } } },
    });
    expect(error).toBeUndefined();
    isOver = true;
    await load;
    expect(new Set(outcomes)).toEqual(new Set([201]));
    expect(hub.plugin("p").supervised.pid).not.toBe(before[0]);
    // The old one is drained after the switch.
    await expect.poll(() => existsSync(before[1] as string)).toBe(false);
    expect((await hub.http("p", "/")).json().instance_id).toMatch(UUID);
  });
});

describe("a plugin's surroundings", () => {
  it("hold what it needs and nothing of the hub's secrets", async () => {
    using directory = new PluginDirectory();
    directory.add("p");
    await using hub = await UnixJsonHub.start(directory, { env: { ADMIN_PASSWORD: "secret", LANG: "de_DE" } });
    const { env, instance_id, log_path } = (await hub.http("p", "/")).json();
    expect(env).toMatchObject({ TORU_PLUGIN_ID: "p", TORU_INSTANCE_ID: instance_id, LANG: "de_DE" });
    expect(env["ADMIN_PASSWORD"]).toBeUndefined();
    expect(log_path).toBe(join(directory.root, "state", "logs", "plugins", "p.log"));
    const path = env["TORU_PLUGIN_SOCKET"] as string;
    expect(path).toBe(hub.socketOf("p"));
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(103);
    expect([statSync(path).mode & 0o777, statSync(dirname(path)).mode & 0o777]).toEqual([0o600, 0o700]);
  });

  it("are taken away with it: shutdown message, exit, no socket, no directory", async () => {
    using directory = new PluginDirectory();
    directory.add("p");
    const hub = await UnixJsonHub.start(directory, { shutdownMs: 60_000 });
    const { pid } = hub.plugin("p").supervised;
    const path = hub.socketOf("p");
    await hub[Symbol.asyncDispose]();
    expect([isAlive(pid), existsSync(path), existsSync(dirname(path))]).toEqual([false, false, false]);
    const { lines } = await hub.test.hub.readPluginLog("p");
    expect(lines.map(({ message }) => message)).toContain("shut down");
  });

  it.each(["ignores-shutdown", "ignores-term"])("go also where the plugin %s", async (behaviour) => {
    using directory = new PluginDirectory();
    directory.add("p", { BEHAVIOUR: behaviour });
    const hub = await UnixJsonHub.start(directory, { shutdownMs: 100, termMs: 100 });
    const { pid } = hub.plugin("p").supervised;
    const path = hub.socketOf("p");
    const calls = hub.outcome("p", "/silent");
    await expect.poll(() => hub.test.hub.status().callsInFlight).toBe(1);
    await hub[Symbol.asyncDispose]();
    expect([isAlive(pid), existsSync(path)]).toEqual([false, false]);
    expect(await calls).toBe(ErrorCode.Unavailable);
  });
});

describe("a plugin's log", () => {
  it("has one line of JSON for each line that it wrote, torn and long ones too, and nothing of another plugin", async () => {
    using directory = new PluginDirectory();
    directory.add("p", { BEHAVIOUR: "prints" });
    directory.add("p-q");
    {
      await using hub = await UnixJsonHub.start(directory);
      expect(await hub.outcome("p", "/")).toBe(200);
      await expect
        .poll(async () => (await hub.test.hub.readPluginLog("p")).lines.map(({ message }) => message))
        .toContain("another");
      const page = await hub.test.hub.readPluginLog("p", { level: "Warn" });
      expect(page.lines).toMatchObject([{ message: "an object", level: "Warn", count: 2, plugin: "p" }]);
      const two = await hub.test.hub.readPluginLog("p", { page: 1, pageSize: 2 });
      const all = await hub.test.hub.readPluginLog("p");
      expect(two.lines).toEqual(all.lines.slice(2, 4));
      await expect(hub.test.hub.readPluginLog("nobody")).rejects.toMatchObject({ code: ErrorCode.NotFound });
    }
    const linesOf = (id: string) =>
      readFileSync(join(directory.root, "state", "logs", "plugins", `${id}.log`), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    const messages = linesOf("p").map(({ message }) => message as string);
    // The first of these was torn when it was written; the second one is longer than the pieces that are kept.
    expect(messages.filter((text) => /^one |^y/.test(text)).join("")).toContain("y".repeat(100_000));
    expect(messages).toContain("initialised");
    expect(linesOf("p").every(({ plugin }) => plugin === "p")).toBe(true);
    expect(linesOf("p-q").every(({ plugin }) => plugin === "p-q")).toBe(true);
  });

  it("goes on where the hub runs without a place for it", async () => {
    using directory = new PluginDirectory();
    directory.add("p");
    await using hub = await UnixJsonHub.start(directory);
    rmSync(join(directory.root, "state", "logs"), { recursive: true, force: true });
    expect(await hub.outcome("p", "/")).toBe(200);
  });
});
