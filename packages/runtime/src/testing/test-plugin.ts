import { ErrorCode, HubError } from "@orchestrator/protocol";
import { memoryLinkPair } from "@orchestrator/transport";
import { limitsOf, ROOT_SCOPE } from "../calling/call-scope.ts";
import { exchange } from "../calling/exchange.ts";
import { ScopedHubClient } from "../calling/hub-client.ts";
import { LinkChannel } from "../calling/link-channel.ts";
import { OutgoingCalls } from "../calling/outgoing-calls.ts";
import { Subscriptions } from "../calling/subscriptions.ts";
import type { Plugin } from "../define-plugin.ts";
import type { PluginDefinition, PluginEvent } from "../definition.ts";
import type { HubClient } from "../hub-client.ts";
import type { JsonObject } from "../json.ts";
import { createLog } from "../log.ts";
import { compilePlugin } from "../plugin/compile.ts";
import { PluginRuntime } from "../plugin/plugin-runtime.ts";
import { createTestHub, type TestHub, type TestHubOptions } from "./test-hub.ts";
import { withKv } from "./with-kv.ts";

export interface TestPluginOptions {
  /** Flags for `setup`, over the defaults of the definition. */
  readonly flags?: Readonly<Record<string, string>>;
  /** The operator's config for `boot`. `false` leaves the plugin unbooted, as some hosts do. */
  readonly config?: Readonly<Record<string, string>> | false;
  /** Who calls. Default "test". */
  readonly caller?: string;
  /** What other plugins offer. */
  readonly hub?: TestHubOptions;
}

/** A plugin at work in this process, and the means to use it the way that a hub would. */
export interface TestPlugin extends AsyncDisposable {
  readonly callTool: HubClient["callTool"];
  readonly streamTool: HubClient["streamTool"];
  readonly listTools: HubClient["listTools"];
  readonly listPrompts: HubClient["listPrompts"];
  readonly getPrompt: HubClient["getPrompt"];
  /** What the plugin stores as a provider of a storage type. */
  readonly storage: HubClient["storage"];
  readonly health: HubClient["health"];
  /** Sends an event to the plugin; resolves once its handler is done. */
  deliver(topic: string, type: string, payload?: JsonObject): Promise<void>;
  /** Boots the plugin, again if need be. @throws {HubError} with its message, where it refuses */
  boot(config?: Readonly<Record<string, string>>): Promise<void>;
  /** Shuts the plugin down. @returns whether it went well */
  shutdown(): Promise<boolean>;
  /** What the plugin did to the hub. */
  readonly hub: TestHub;
  /** What the plugin's own log holds, one line each. */
  readonly logs: readonly string[];
}

/**
 * Starts a plugin in this process, without certificates, sockets or processes: its flags, setup, boot, calls and shutdown are
 * those of a real one. Dispose of it at the end: `await using plugin = await testPlugin(definition)`.
 * @throws {HubError} for a definition, schema, setup or boot that a real host would refuse as well
 */
export async function testPlugin(
  subject: PluginDefinition | Plugin,
  options: TestPluginOptions = {},
): Promise<TestPlugin> {
  const definition = "definition" in subject ? subject.definition : subject;
  const compiled = compilePlugin(definition);
  await compiled.checkSchemas();
  const logs: string[] = [];
  const log = createLog((line) => logs.push(line.trimEnd()));
  const runtime = new PluginRuntime(compiled, log);
  const fake = createTestHub(definition.needs, options.hub ?? {}, (event) => {
    if (definition.needs?.events?.includes(event.topic) || runtime.subscriptions.wants(event.topic)) void send(event);
  });
  const host = new PluginRuntime(compilePlugin(fake.definition), log);
  const caller = options.caller ?? "test";
  const channel = new LinkChannel();
  const client = new ScopedHubClient(
    { channel, pluginId: caller, subscriptions: new Subscriptions(channel, log) },
    ROOT_SCOPE,
  );
  const send = ({ topic, type, payload }: PluginEvent) => client.publish(topic, type, payload);
  const ask = async (request: Parameters<typeof exchange>[1]["request"]) =>
    (await exchange(channel, { request, scope: ROOT_SCOPE, limits: limitsOf(ROOT_SCOPE) })).response;

  await definition.setup?.({ ...definition.flags, ...options.flags });
  const [link] = memoryLinkPair({
    names: ["orchestrator", definition.id],
    accept: [
      (accepted) => {
        const calls = new OutgoingCalls(accepted);
        channel.use(calls);
        return calls.over(withKv(accepted, host.server.accept(accepted), fake.hub.kv), () => {});
      },
      runtime.accept,
    ],
  });
  const close = async () => {
    await runtime.stop(1_000);
    await link.close(0);
  };
  const plugin: TestPlugin = {
    callTool: (...args) => client.callTool(...args),
    streamTool: (...args) => client.streamTool(...args),
    listTools: (...args) => client.listTools(...args),
    listPrompts: (...args) => client.listPrompts(...args),
    getPrompt: (...args) => client.getPrompt(...args),
    storage: (...args) => client.storage(...args),
    health: (...args) => client.health(...args),
    deliver: (topic, type, payload) => client.publish(topic, type, payload),
    async boot(config = {}) {
      const answer = await ask({ $case: "boot", value: { config: { ...config } } });
      if (answer?.$case !== "boot" || !answer.value.ready)
        throw new HubError(ErrorCode.Internal, "The boot was refused");
    },
    async shutdown() {
      const answer = await ask({ $case: "shutdown", value: { timeoutSeconds: 0 } });
      return answer?.$case === "shutdown" && answer.value.clean;
    },
    hub: fake.hub,
    logs,
    [Symbol.asyncDispose]: close,
  };
  try {
    if (options.config !== false) await plugin.boot(options.config);
  } catch (error) {
    await close();
    throw error;
  }
  return plugin;
}
