import type { BackendCall } from "@orchestrator/mcp";
import type { ToolDefinition } from "@orchestrator/protocol";
import { askFor } from "../hub/ask.ts";
import type { Hub } from "./hub.ts";

/** What a call must know of its tool. */
export interface KnownTool {
  readonly name: string;
  /** It answers in pieces, and is started in another way. */
  streaming: boolean;
  /** It promised what its result looks like. */
  readonly promised: boolean;
}

/** The hub's list of tools, kept until it changes: a call needs it, and should not wait for it. */
export class ToolIndex {
  readonly #hub: Hub;
  #known: ReadonlyMap<string, KnownTool> | undefined;
  /** Counts changes, so that a list which was asked for before one is not kept after it. */
  #changes = 0;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  /** Something came or went. */
  forget(): void {
    this.#changes += 1;
    this.#known = undefined;
  }

  /** Asks the hub. */
  async list(call: BackendCall): Promise<readonly ToolDefinition[]> {
    const changes = this.#changes;
    const question = this.#hub.question(`tl-${call.requestId}`, { $case: "listTools", value: {} }, call);
    const { tools } = await askFor(this.#hub.peer, question, "listTools");
    const known = new Map(tools.map((tool) => [tool.name, toKnown(tool)]));
    if (changes === this.#changes) this.#known = known;
    return tools;
  }

  /** What is known of a tool at once. */
  peek(name: string): KnownTool | undefined {
    return this.#known?.get(name);
  }

  /** @returns undefined for a tool that was not in the list when it was last asked for, or where there is no list to be had */
  async find(name: string, call: BackendCall): Promise<KnownTool | undefined> {
    if (this.#known === undefined) await this.list(call).catch(() => undefined);
    return this.#known?.get(name);
  }

  /** Asks again first. */
  async findAgain(name: string, call: BackendCall): Promise<KnownTool | undefined> {
    await this.list(call);
    return this.find(name, call);
  }
}

function toKnown({ name, streaming, outputSchema }: ToolDefinition): KnownTool {
  return { name, streaming, promised: outputSchema?.["type"] === "object" };
}
