import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PluginRequest, PluginResponse } from "@orchestrator/protocol";
import type { LinkPeer } from "@orchestrator/transport";
import {
  request,
  type StartTestHubOptions,
  startTestHub,
  type TestHub,
  type TestPlugin,
} from "../src/testing/index.ts";

const program = join(import.meta.dirname, "fixtures", "service.ts");

/** An honest plugin whose words stand in the file `<id>.json` of the hub's directory. */
export function service(id: string, more: Record<string, unknown> = {}): TestPlugin {
  const { env = {}, ...rest } = more;
  return {
    id,
    binary: program,
    env: { FIXTURE_ID: id, PREFIX: `${id}_`, SAYS: `${id}.json`, ...(env as object) },
    ...rest,
  };
}

type Command = Extract<NonNullable<PluginRequest["request"]>, { $case: "control" }>["value"]["command"];
type Control = Extract<NonNullable<PluginResponse["response"]>, { $case: "control" }>["value"];
type Status = Extract<NonNullable<Control["result"]>, { $case: "plugins" }>["value"]["plugins"][number];

/** A hub, and an operator who works with it. */
export class Site implements AsyncDisposable {
  readonly test: TestHub;
  readonly operator: LinkPeer;

  private constructor(test: TestHub, operator: LinkPeer) {
    this.test = test;
    this.operator = operator;
  }

  static async open(options: StartTestHubOptions): Promise<Site> {
    const test = await startTestHub({ shutdownMs: 2_000, termMs: 500, ...options });
    return new Site(test, await test.connect("orchestrator-operator", undefined, "unix"));
  }

  /** What a plugin says of itself from its next start on. In one step: there is no moment at which it says nothing. */
  say(id: string, words: Record<string, unknown>): void {
    const file = join(this.test.workspace, `${id}.json`);
    writeFileSync(`${file}.new`, JSON.stringify(words));
    renameSync(`${file}.new`, file);
  }

  /** Writes another config for the next reload. */
  reconfigure(plugins: readonly TestPlugin[]): void {
    this.test.reconfigure(plugins);
  }

  entry(id: string) {
    const found = this.test.hub.plugins.find((plugin) => plugin.id === id);
    if (found === undefined) throw new Error(`there is no plugin ${id}`);
    return found;
  }

  supervised(id: string) {
    return this.entry(id).supervised;
  }

  async call(toolName: string, args: Record<string, unknown> = {}, timeoutMs = 0) {
    const value = { toolName, arguments: args, callerPlugin: "", traceParent: "", provider: "", sessionId: "" };
    const response = await request(this.operator, { $case: "toolCall", value }, { timeoutMs });
    if (response.response?.$case !== "toolCall") throw new Error(`answered with ${response.response?.$case}`);
    return { ...response.response.value, error: response.error };
  }

  /** @throws what the hub says against it */
  async control(command: NonNullable<Command>): Promise<Control["result"]> {
    const { response, error } = await request(this.operator, { $case: "control", value: { command } });
    if (error !== undefined) throw new Error(error.message);
    if (response?.$case !== "control") throw new Error(`answered with ${response?.$case}`);
    return response.value.result;
  }

  async status(id: string): Promise<Status> {
    const result = await this.control({ $case: "plugins", value: {} });
    const found = result?.$case === "plugins" ? result.value.plugins.find((plugin) => plugin.id === id) : undefined;
    if (found === undefined) throw new Error(`${id} is not listed`);
    return found;
  }

  async tools(): Promise<string[]> {
    const { response } = await request(this.operator, { $case: "listTools", value: {} });
    return response?.$case === "listTools" ? response.value.tools.map((tool) => tool.name) : [];
  }

  log(id: string): string[] {
    return this.test.hub.log.tail(10_000, id).map((entry) => entry.text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test.stop();
  }
}
