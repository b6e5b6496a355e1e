import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it, type TestContext } from "vitest";
import { isAlive, request } from "../src/testing/index.ts";
import { PluginDirectory, UnixJsonHub } from "./unix-json-hub.ts";

/**
 * Runs plugins that others have written and built, as they are: every `*.binary` of the directory that this variable names. Nobody
 * can be required to have them; a reason that begins like this one is no failure where everything else must be there.
 */
const VARIABLE = "ORCHESTRATOR_TORU_PLUGINS";
const directory = process.env[VARIABLE];
const absent = `on request: ${VARIABLE} names no directory with plugins`;

/** What is known of plugins that exist: how a request ends, with a status of theirs, or with the hub's code where they are silent. */
const KNOWN: Readonly<Record<string, readonly (readonly [method: string, path: string, end: number | string])[]>> = {
  "hello-plugin-rust": [
    ["GET", "/", 200],
    ["POST", "/", 200],
    // The query is part of the path, and there is none that begins like this.
    ["GET", "/?x=1", 404],
    ["GET", "/nowhere", 404],
    ["GET", "/bundle.js", 200],
  ],
  "hello-plugin-python": [
    ["GET", "/", 200],
    ["GET", "/?x=1", 404],
    ["GET", "/nowhere", 404],
  ],
  "systemd-services": [
    ["GET", "/", 200],
    ["GET", "/bundle.js", 200],
    ["GET", "/services", 200],
    ["POST", "/services/x.service/frob", 400],
    ["POST", "/services/a/b/c", 400],
    // It says in its log alone that this is no name.
    ["POST", "/services/a%20b/start", ErrorCode.DeadlineExceeded],
    ["GET", "/nowhere", 404],
    ["DELETE", "/services", 404],
  ],
  "systemd-timers": [
    ["GET", "/", 200],
    ["GET", "/bundle.js", 200],
    ["GET", "/timers", 200],
    ["GET", "/timers/settings", 200],
    ["POST", "/timers/x/run", 500],
    ["GET", "/timers/x.timer/history", 200],
    ["GET", "/timers/x.timer/history/never", 404],
    ["POST", "/timers/settings", ErrorCode.DeadlineExceeded],
    ["GET", "/nowhere", 404],
  ],
};

/** A hub over these plugins, all of which run. */
class Existing implements AsyncDisposable {
  readonly hub: UnixJsonHub;
  readonly ids: readonly string[];
  readonly #scratch: PluginDirectory;

  private constructor(hub: UnixJsonHub, scratch: PluginDirectory) {
    this.hub = hub;
    this.ids = hub.test.hub.plugins.map(({ id }) => id);
    this.#scratch = scratch;
  }

  static async start(context: TestContext): Promise<Existing> {
    if (directory === undefined) context.skip(absent);
    const plugins = resolve(directory ?? "");
    const programs = readdirSync(plugins).filter((name) => extname(name) === ".binary");
    expect(programs.length, `plugins in ${plugins}`).toBeGreaterThan(0);
    const scratch = new PluginDirectory();
    const hub = await UnixJsonHub.start(scratch, { config: { plugin_dirs: [plugins] } });
    const existing = new Existing(hub, scratch);
    expect(hub.test.hub.status().problems).toEqual([]);
    expect(hub.test.hub.plugins.map(({ supervised }) => supervised.state.name)).toEqual(programs.map(() => "ready"));
    return existing;
  }

  get instanceId(): string {
    return readFileSync(join(this.#scratch.root, "state", "instance-id"), "utf8").trim();
  }

  /** How a request ends. */
  async end(id: string, method: string, path: string, more: { body?: Uint8Array } = {}): Promise<number | string> {
    return await this.#ask(id, method, path, more).then(
      ({ status }) => status,
      (error: { code: string }) => error.code,
    );
  }

  /** The ids that the plugins were told, of those that tell theirs. */
  async told(): Promise<string[]> {
    const answers = await Promise.all(this.ids.map((id) => this.#ask(id, "GET", "/")));
    return answers.flatMap(({ text }) => /"instance_id": ?"([^"]*)"/.exec(text)?.[1] ?? []);
  }

  async control(command: object): Promise<void> {
    const { error } = await request(this.hub.operator, {
      $case: "control",
      value: { command: command as never },
    });
    expect(error).toBeUndefined();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub[Symbol.asyncDispose]();
    this.#scratch[Symbol.dispose]();
  }

  /** Their routes are not their ids. */
  async #ask(id: string, method: string, path: string, more: { body?: Uint8Array } = {}) {
    const route = this.hub.plugin(id).manifest!.providesHttp[0]!;
    return await this.hub.http(route.slice(1), path, { method, timeoutMs: 1_500, ...more });
  }
}

describe("plugins that exist", () => {
  it("run as they are, and answer as ever", async (context) => {
    await using existing = await Existing.start(context);
    for (const id of existing.ids) {
      const known = KNOWN[id] ?? [];
      const ends: unknown[] = [];
      for (const [method, path] of known) ends.push([method, path, await existing.end(id, method, path)]);
      expect(ends).toEqual(known);
      expect(await existing.end(id, "GET", "/")).toEqual(expect.any(Number));
    }
  });

  it("are told the id of the installation at every start", async (context) => {
    await using existing = await Existing.start(context);
    const { hub, ids } = existing;
    const first = await existing.told();
    const expected = first.map(() => existing.instanceId);
    expect(first).toEqual(expected);
    const sockets: string[] = [];
    const seen = () => sockets.push(...ids.map((id) => hub.socketOf(id)));
    seen();
    for (const id of ids) await hub.plugin(id).supervised.restart();
    expect(await existing.told()).toEqual(expected);
    seen();
    for (const id of ids) await existing.control({ $case: "upgrade", value: { plugin: id } });
    expect(await existing.told()).toEqual(expected);
    seen();
    for (const id of ids) {
      process.kill(hub.plugin(id).supervised.pid, "SIGKILL");
      await hub.plugin(id).supervised.reached("backoff");
    }
    await Promise.all(ids.map((id) => hub.plugin(id).supervised.reached("ready")));
    expect(await existing.told()).toEqual(expected);
    expect(new Set(sockets).size).toBe(sockets.length);
    await expect.poll(() => sockets.filter((path) => existsSync(path))).toEqual([]);
  });

  it("are asked about their stores in the form that they read", async (context) => {
    await using existing = await Existing.start(context);
    const { hub, ids } = existing;
    for (const id of ids) {
      const value = await hub.kv(id, "get", { key: "no such key" });
      expect([id, value]).toEqual([id, null]);
    }
    if (ids.includes("hello-plugin-rust")) {
      expect(await hub.kv("hello-plugin-rust", "get", { key: "counter" })).toBe("0");
      expect(await hub.kv("hello-plugin-rust", "set", { key: "counter", value: "1" })).toBeNull();
    }
    if (ids.includes("hello-plugin-python")) {
      expect(await hub.kv("hello-plugin-python", "set", { key: "k", value: 'Zoë "🐍"' })).toBeNull();
      expect(await hub.kv("hello-plugin-python", "get", { key: "k" })).toBe('Zoë "🐍"');
      await hub.kv("hello-plugin-python", "delete", { key: "k" });
      expect(await hub.kv("hello-plugin-python", "get", { key: "k" })).toBeNull();
    }
  });

  it("serve many callers and long bodies, also while one of them is silent", async (context) => {
    await using existing = await Existing.start(context);
    const { ids } = existing;
    const usual = await Promise.all(ids.map((id) => existing.end(id, "GET", "/")));
    const silent = ids.includes("hello-plugin-python")
      ? existing.end("hello-plugin-python", "GET", "/bundle.js")
      : Promise.resolve(ErrorCode.DeadlineExceeded);
    const others = ids.filter((id) => id !== "hello-plugin-python");
    const body = Buffer.alloc(8 * 1024 * 1024, "x");
    for (const id of others) {
      const all = await Promise.all(Array.from({ length: 100 }, () => existing.end(id, "GET", "/")));
      expect(new Set(all)).toEqual(new Set([usual[ids.indexOf(id)]]));
      expect(await existing.end(id, "POST", "/", { body })).toEqual(expect.any(Number));
    }
    // It reads its front end from a directory beside it, and says nothing where there is none.
    const hasFront = existsSync(resolve(directory ?? "", "frontend", "bundle.js"));
    expect(await silent).toBe(hasFront && ids.includes("hello-plugin-python") ? 200 : ErrorCode.DeadlineExceeded);
    expect(await Promise.all(ids.map((id) => existing.end(id, "GET", "/")))).toEqual(usual);
  });

  it("go when they are switched off, and when the hub goes", async (context) => {
    const existing = await Existing.start(context);
    const { hub, ids } = existing;
    const running = ids.map((id) => [hub.plugin(id).supervised.pid, hub.socketOf(id)] as const);
    const left = () => running.map(([pid, path]) => [isAlive(pid), existsSync(path)]);
    const first = ids[0]!;
    await existing.control({ $case: "enable", value: { plugin: first, enabled: false } });
    expect(left()[0]).toEqual([false, false]);
    expect(await existing.end(first, "GET", "/")).toBe(ErrorCode.NotFound);
    await existing[Symbol.asyncDispose]();
    expect(left()).toEqual(running.map(() => [false, false]));
    expect(existsSync(dirname(running[0]![1]))).toBe(false);
  });
});
