import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromWireError } from "@orchestrator/protocol";
import type { LinkPeer } from "@orchestrator/transport";
import type { PluginEntry } from "../src/plugin-entry.ts";
import { request, type StartTestHubOptions, startTestHub, type TestHub } from "../src/testing/index.ts";

const program = join(import.meta.dirname, "fixtures", "unix-json-plugin.ts");

/** A directory with plugins in it, for one test or for several hubs of one test. */
export class PluginDirectory implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), "orchestrator-unix-json-"));
  readonly plugins = join(this.root, "plugins");

  constructor() {
    mkdirSync(this.plugins);
  }

  /** The stand-in as `<id>.binary`, with the route `/<id>`. */
  add(id: string, env: Readonly<Record<string, string>> = {}, route = `/${id}`): string {
    const exports = Object.entries(env).map(([name, value]) => `export ${name}='${value}'\n`);
    // What it is can be told without it, in a tenth of the time.
    const metadata = JSON.stringify({ id, name: id, version: "0.1.0", author: "ours", icon: "🦀", route });
    const asked = `[ "$1" = --metadata ] && echo '${metadata}' && exit\n`;
    const cache = `export NODE_COMPILE_CACHE='${join(tmpdir(), "orchestrator-compile-cache")}'\n`;
    const run = `exec '${process.execPath}' '${program}' ${id} ${route} "$@"`;
    return this.script(`${id}.binary`, `${asked}${cache}${exports.join("")}${run}`);
  }

  script(name: string, text: string): string {
    const path = join(this.plugins, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A hub over such a directory, and its operator. */
export class UnixJsonHub implements AsyncDisposable {
  readonly test: TestHub;
  readonly operator: LinkPeer;

  private constructor(test: TestHub, operator: LinkPeer) {
    this.test = test;
    this.operator = operator;
  }

  static async start(directory: PluginDirectory, options: StartTestHubOptions = {}): Promise<UnixJsonHub> {
    const config = { plugin_dirs: [directory.plugins], ...options.config };
    const test = await startTestHub({ directory: directory.root, shutdownMs: 2_000, termMs: 300, ...options, config });
    return new UnixJsonHub(test, await test.connect("orchestrator-operator", undefined, "unix"));
  }

  plugin(id: string): PluginEntry {
    return this.test.hub.plugins.find((plugin) => plugin.id === id)!;
  }

  /** The address of its socket. */
  socketOf(id: string): string {
    return this.plugin(id).link!.link.remoteAddress.slice("unix:".length);
  }

  /** @throws {HubError} what the hub answered */
  async http(
    id: string,
    path: string,
    more: {
      method?: string;
      body?: Uint8Array;
      headers?: { name: string; value: string }[];
      timeoutMs?: number;
      signal?: AbortSignal;
    } = {},
  ) {
    const { timeoutMs = 0, signal, ...rest } = more;
    const value = { route: `/${id}`, method: "GET", path, headers: [], body: new Uint8Array(), ...rest };
    const { response, error } = await request(
      this.operator,
      { $case: "http", value },
      { timeoutMs },
      signal && { signal },
    );
    if (response?.$case !== "http") throw fromWireError(error!);
    const text = Buffer.from(response.value.body).toString();
    return { ...response.value, text, json: () => JSON.parse(text) };
  }

  /** How a call ended: its status, or the code of its error. */
  async outcome(id: string, path: string, timeoutMs = 0): Promise<number | string> {
    try {
      return (await this.http(id, path, { timeoutMs })).status;
    } catch (error) {
      return (error as { code: string }).code;
    }
  }

  async kv(id: string, action: string, args: object) {
    const toolName = `${id}_kv_${action}`;
    const value = { toolName, arguments: args, callerPlugin: "", traceParent: "", provider: "", sessionId: "" };
    const { response, error } = await request(this.operator, { $case: "toolCall", value });
    if (response?.$case === "toolCall" && response.value.success) return response.value.result?.["value"];
    throw fromWireError(error!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test.stop();
  }
}
