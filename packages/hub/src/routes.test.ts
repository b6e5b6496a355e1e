import { parseConfig, requireConfig } from "@orchestrator/config";
import { PluginResponse } from "@orchestrator/protocol";
import { SupervisedPlugin } from "@orchestrator/supervisor";
import { describe, expect, it } from "vitest";
import { Listing } from "./listing.ts";
import { type Offer, PluginEntry } from "./plugin-entry.ts";
import type { Port } from "./port.ts";
import { collisionLines } from "./problems.ts";
import { Routes } from "./routes.ts";

/** What a plugin offers, by names alone. */
interface Names {
  readonly tools?: readonly string[];
  readonly ai?: readonly string[];
  readonly storage?: readonly string[];
  readonly http?: readonly string[];
  readonly description?: string;
  readonly config?: Record<string, unknown>;
}

function entries(plugins: Record<string, Names>): PluginEntry[] {
  const entry = Object.entries(plugins).map(([id, { config }]) => ({ id, binary: "x", ...config }));
  const config = requireConfig(parseConfig(JSON.stringify({ plugins: entry }), { path: "/plugins.yaml", home: "/" }));
  return config.plugins.map((plugin) => {
    const { tools = [], ai = [], storage = [], http = [], description = "" } = plugins[plugin.id]!;
    const never = () => Promise.reject(new Error("is not started here"));
    const supervised = new SupervisedPlugin({ id: plugin.id, launch: never, attach: never, onState: () => {} });
    const made = new PluginEntry(plugin, supervised);
    const offer: Offer = { tools: tools.map((name) => tool(name, description)), prompts: [], storage, ai, http };
    made.offer = offer;
    made.link = {} as Port;
    return made;
  });
}

function tool(name: string, description: string) {
  return {
    name,
    description,
    inputSchema: undefined,
    streaming: false,
    outputSchema: undefined,
    title: "",
    annotations: undefined,
  };
}

function routesOf(plugins: Record<string, Names>): Routes {
  const routes = new Routes();
  routes.rebuild(entries(plugins));
  return routes;
}

describe("Routes", () => {
  it("finds HTTP routes by their whole name, heeds aliases, and tells collisions", () => {
    const routes = routesOf({
      a: { http: ["/files", "/files/search"] },
      b: { http: ["/files", "/b"], config: { alias: { "http:/b": "/bee" } } },
    });
    expect(routes.http("/files")?.plugin.id).toBe("a");
    expect(routes.http("/files/search")?.plugin.id).toBe("a");
    expect(routes.http("/files/other")).toBeUndefined();
    expect(routes.http("/b")).toBeUndefined();
    expect(routes.http("/bee")).toMatchObject({ plugin: { id: "b" }, name: "/b" });
    expect(routes.collisions).toEqual([{ table: "http", name: "/files", winner: "a", loser: "b" }]);
    expect([...routes.httpRoutes.keys()]).toEqual(["/files", "/files/search", "/bee"]);
  });

  it("lets the config prefer one of two HTTP routes, and one of two AI providers", () => {
    const prefer = (what: string) => ({ prefer: [what] });
    const routes = routesOf({
      a: { http: ["/x"], ai: ["claude"], tools: ["ask"] },
      b: { http: ["/x"], config: prefer("http:/x") },
      c: { ai: ["claude"], tools: ["ask"], config: prefer("ai:claude") },
    });
    expect(routes.http("/x")?.plugin.id).toBe("b");
    expect(routes.providerTool("claude", "ask").route?.plugin.id).toBe("c");
    expect(routes.collisions).toEqual([]);
  });

  it("knows the tools of AI providers by their aliases", () => {
    const routes = routesOf({
      a: { ai: ["claude"], tools: ["ask"] },
      b: { ai: ["claude"], tools: ["ask"], config: { alias: { ask: "ask_b" } } },
    });
    expect(routes.providerTool("claude", "ask_b").route).toMatchObject({ plugin: { id: "b" }, name: "ask" });
    expect(routes.tool("ask_b")?.plugin.id).toBe("b");
    expect(routes.collisions).toEqual([]);
  });

  it("takes a provider of any name for a name", () => {
    const routes = routesOf({ a: { tools: ["ask"] } });
    expect(routes.providerTool("constructor", "ask")).toMatchObject({ provider: "", route: { name: "ask" } });
    expect(routes.providerTool("__proto__", "none").route).toBeUndefined();
  });

  it("has another version after every change", () => {
    const routes = new Routes();
    const { version } = routes;
    routes.rebuild([]);
    expect(routes.version).not.toBe(version);
  });
});

describe("Listing", () => {
  it("shows each name once, under its name outside", () => {
    const routes = routesOf({ a: { tools: ["z", "b"] }, b: { tools: ["b", "c"], config: { alias: { c: "a" } } } });
    const { response, requestId } = PluginResponse.decode(new Listing(routes).toolsResponse("r"));
    expect(requestId).toBe("r");
    if (response?.$case !== "listTools") throw new Error("no list");
    expect(response.value.tools.map(({ name }) => name)).toEqual(["a", "b", "z"]);
  });

  it("answers with an error where the list fits into no frame", () => {
    const description = "d".repeat(3_000_000);
    const plugins = Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((id) => [id, { tools: [id], description }]));
    const answer = PluginResponse.decode(new Listing(routesOf(plugins)).toolsResponse("r"));
    expect(answer).toMatchObject({ requestId: "r", error: { message: expect.stringContaining("18000") } });
    expect(answer.error?.retryable).toBe(true);
  });
});

it("collisions of the same two plugins are one line", () => {
  const tools = Array.from({ length: 4_096 }, (_, n) => `t${n}`);
  const routes = routesOf({ a: { tools }, b: { tools }, c: { storage: ["s"] }, d: { storage: ["s"] } });
  expect(routes.collisions).toHaveLength(4_097);
  expect(collisionLines(routes.collisions)).toEqual([
    'tool "t0", "t1", "t2", "t3", "t4" and 4091 more are provided by "a" and by "b"; "a" has them',
    'storage "s" is provided by "c" and by "d"; "c" has it',
  ]);
});
