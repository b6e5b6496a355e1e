import type { PluginEntry } from "./plugin-entry.ts";

/** Names that one plugin offers, in one table. */
export type RouteTable = "tool" | "prompt" | "storage" | "http";

/** Where a name leads. */
export interface Route {
  readonly plugin: PluginEntry;
  /** The name inside the plugin: another one than outside where the config gave an alias. */
  readonly name: string;
}

/** Two plugins claim one name. The first in config order (or the preferred one) has it. */
export interface Collision {
  readonly table: RouteTable | "ai";
  readonly name: string;
  readonly winner: string;
  readonly loser: string;
}

/** Existing AI bridges answer for these under one roof. */
const PROVIDER_ALIASES: ReadonlyMap<string, string> = new Map([
  ["grok", "openai"],
  ["perplexity", "openai"],
  ["deepseek", "openai"],
  ["qwen", "openai"],
  ["kimi", "openai"],
]);

/**
 * capability → plugin. The tables are made anew whenever a plugin comes or goes, from what is known of all of them, so the
 * outcome depends on the config's order alone and never on who was quicker. A look-up is one Map access.
 */
export class Routes {
  #tools = new Map<string, Route>();
  #prompts = new Map<string, Route>();
  #storage = new Map<string, Route>();
  #http = new Map<string, Route>();
  #ai = new Map<string, Map<string, Route>>();
  #collisions: Collision[] = [];
  #version = 0;

  /** Another one after every change: what was found before may lead elsewhere now. */
  get version(): number {
    return this.#version;
  }

  get collisions(): readonly Collision[] {
    return this.#collisions;
  }

  /** Tool names and where they lead; AI tools of providers that no ordinary tool shadows are among them. */
  get tools(): ReadonlyMap<string, Route> {
    return this.#tools;
  }

  get prompts(): ReadonlyMap<string, Route> {
    return this.#prompts;
  }

  /** HTTP routes and where they lead, for a gateway that wants to know them all. */
  get httpRoutes(): ReadonlyMap<string, Route> {
    return this.#http;
  }

  tool(name: string): Route | undefined {
    return this.#tools.get(name);
  }

  /**
   * A named provider's tool, and the provider that has it; where none has it, the ordinary tool of that name with the provider
   * "", as existing callers expect. Rights are asked for what was found, not for what was asked.
   */
  providerTool(provider: string, name: string): { readonly route: Route | undefined; readonly provider: string } {
    for (const candidate of [provider, PROVIDER_ALIASES.get(provider)]) {
      const route = candidate === undefined ? undefined : this.#ai.get(candidate)?.get(name);
      if (route !== undefined) return { route, provider };
    }
    return { route: this.#tools.get(name), provider: "" };
  }

  prompt(name: string): Route | undefined {
    return this.#prompts.get(name);
  }

  storage(type: string): Route | undefined {
    return this.#storage.get(type);
  }

  /** @param route the whole route, as the plugin provides it: "/files" leads nowhere for "/files/x" */
  http(route: string): Route | undefined {
    return this.#http.get(route);
  }

  /** @param plugins in config order; those that are not known yet have nothing to offer */
  rebuild(plugins: readonly PluginEntry[]): void {
    this.#version += 1;
    this.#collisions = [];
    this.#tools = new Map();
    this.#prompts = new Map();
    this.#storage = new Map();
    this.#http = new Map();
    this.#ai = new Map();
    for (const plugin of plugins) {
      const offer = plugin.offer;
      if (offer === undefined) continue;
      for (const type of offer.storage) this.#claim("storage", this.#storage, plugin, type);
      for (const route of offer.http) this.#claim("http", this.#http, plugin, route);
      for (const prompt of offer.prompts) this.#claim("prompt", this.#prompts, plugin, prompt.name);
      for (const provider of offer.ai) {
        const table = this.#ai.get(provider) ?? new Map<string, Route>();
        this.#ai.set(provider, table);
        for (const tool of offer.tools) this.#claim("tool", table, plugin, tool.name, provider);
      }
      if (offer.ai.length > 0) continue;
      for (const tool of offer.tools) this.#claim("tool", this.#tools, plugin, tool.name);
    }
    // A provider's tool can be asked for without naming the provider too, but it never takes a name from an ordinary tool.
    for (const table of this.#ai.values()) {
      for (const [name, route] of table) if (!this.#tools.has(name)) this.#tools.set(name, route);
    }
  }

  /** @param provider the AI provider whose table `routes` is, where it is one */
  #claim(table: RouteTable, routes: Map<string, Route>, plugin: PluginEntry, name: string, provider?: string): void {
    const outside = plugin.outsideName(table, name);
    const holder = routes.get(outside);
    if (holder === undefined) {
      routes.set(outside, { plugin, name });
      return;
    }
    if (holder.plugin === plugin) return;
    const wins = (entry: PluginEntry) =>
      entry.isPreferred(table, outside) || (provider !== undefined && entry.isPreferred("ai", provider));
    if (wins(holder.plugin)) return;
    if (wins(plugin)) {
      routes.set(outside, { plugin, name });
      return;
    }
    const shown = provider === undefined ? table : "ai";
    this.#collisions.push({ table: shown, name: outside, winner: holder.plugin.id, loser: plugin.id });
  }
}
