import { ErrorCode, HubError, type ToolDefinition } from "@orchestrator/protocol";
import type { KvQuestion } from "./codec/encode.ts";

const KEY = { type: "string", description: "Name of the entry" } as const;

/** The store that a plugin keeps itself, as three tools of that plugin: `<id>_kv_get`, `<id>_kv_set`, `<id>_kv_delete`. */
export class KvTools {
  readonly definitions: readonly ToolDefinition[];
  readonly #actions: ReadonlyMap<string, KvQuestion["action"]>;

  /** @param id of the plugin; what tool names should not hold becomes "_" */
  constructor(id: string) {
    const prefix = `${id.replace(/[^A-Za-z0-9_-]/g, "_")}_kv`;
    const tool = (action: string, description: string, more: Record<string, object>): ToolDefinition => ({
      name: `${prefix}_${action}`,
      description: `${description} the store of plugin "${id}".`,
      inputSchema: { type: "object", properties: { key: KEY, ...more }, required: ["key", ...Object.keys(more)] },
      streaming: false,
      outputSchema: undefined,
      title: "",
      annotations: undefined,
    });
    this.definitions = [
      tool("get", "Reads an entry of", {}),
      tool("set", "Writes an entry of", { value: { type: "string", description: "Its new value" } }),
      tool("delete", "Removes an entry of", {}),
    ];
    this.#actions = new Map((["get", "set", "delete"] as const).map((action) => [`${prefix}_${action}`, action]));
  }

  /** @throws {HubError} `NOT_FOUND`, `INVALID_ARGUMENT` */
  question(name: string, args: unknown): KvQuestion {
    const action = this.#actions.get(name);
    if (action === undefined) throw new HubError(ErrorCode.NotFound, `Tool "${name}" is not one of this plugin's`);
    const { key, value } = (args ?? {}) as { key?: unknown; value?: unknown };
    if (typeof key !== "string") throw new HubError(ErrorCode.InvalidArgument, `${name} needs "key", a text`);
    if (action !== "set") return { action, key };
    if (typeof value === "string") return { action, key, value };
    throw new HubError(ErrorCode.InvalidArgument, `${name} needs "value", a text`);
  }
}
