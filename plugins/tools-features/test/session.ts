import { type CallContext, type HubClient, type JsonObject, ToolError, type UnaryTool } from "@orchestrator/runtime";
import { expect } from "vitest";
import { createFeaturesPlugin, type FeaturesPluginOptions } from "../src/plugin.ts";
import { MemoryStorage } from "./memory-storage.ts";

/** 2026-11-21T01:36:14Z */
export const START_MS = Date.UTC(2026, 10, 21, 1, 36, 14);
export const START = "2026-11-21T01:36:14Z";

type Args = Record<string, unknown>;

/** One client of one plugin process. */
export class Session {
  readonly storage: MemoryStorage;
  readonly clock: { now: number };
  readonly id: string;
  readonly #tools: Record<string, UnaryTool>;

  constructor(
    options: FeaturesPluginOptions & {
      readonly storage?: MemoryStorage;
      readonly id?: string;
      readonly clock?: { now: number };
      readonly sharing?: Session;
    } = {},
  ) {
    const { storage, id = "session-1", clock, sharing, ...plugin } = options;
    this.storage = storage ?? sharing?.storage ?? new MemoryStorage();
    this.clock = clock ?? sharing?.clock ?? { now: START_MS };
    this.id = id;
    const definition = createFeaturesPlugin({ now: () => this.clock.now, conflictPauseMs: 0, ...plugin });
    this.#tools = sharing ? sharing.#tools : (definition.tools as unknown as Record<string, UnaryTool>);
  }

  /** Another client of the same process. */
  another(id: string): Session {
    return new Session({ sharing: this, id });
  }

  /** A client of another process on the same records. */
  elsewhere(id: string, options: FeaturesPluginOptions = {}): Session {
    return new Session({ storage: this.storage, clock: this.clock, id, ...options });
  }

  get toolNames(): readonly string[] {
    return Object.keys(this.#tools);
  }

  tool(name: string): UnaryTool {
    const tool = this.#tools[name];
    if (tool === undefined) throw new Error(`No tool ${name}`);
    return tool;
  }

  async call(name: string, args: Args = {}, options: { signal?: AbortSignal } = {}): Promise<JsonObject> {
    const context = this.#context(options.signal ?? new AbortController().signal);
    return (await this.tool(name).run(args as JsonObject, context)) as JsonObject;
  }

  async text(name: string, args: Args = {}): Promise<string> {
    return String((await this.call(name, args))["text"]);
  }

  /** The failure that a call ends in. */
  async failure(name: string, args: Args = {}): Promise<ToolError> {
    const outcome = await this.call(name, args).then(
      (result) => result,
      (error: unknown) => error,
    );
    expect(outcome, `${name} should fail`).toBeInstanceOf(ToolError);
    return outcome as ToolError;
  }

  /** Creates a project "My App" (`my-app`). */
  async project(): Promise<string> {
    await this.call("create_project", { name: "My App", description: "An app" });
    return "my-app";
  }

  /** Creates a feature in `my-app`. @returns its id */
  async feature(title = "Login", more: Args = {}): Promise<string> {
    const result = await this.call("create_feature", { project_id: "my-app", title, ...more });
    return String((result["feature"] as JsonObject)["id"]);
  }

  /** Brings a feature to a state by the tools that a user would call. */
  async bring(id: string, status: string): Promise<void> {
    const one = { project_id: "my-app", feature_id: id };
    if (status === "todo") return;
    await this.call("set_current_feature", one);
    for (let state = "in-progress"; state !== "in-review"; ) {
      if (state === status) return;
      const evidence = EVIDENCE[state as keyof typeof EVIDENCE];
      state = String((await this.call("advance_feature", { ...one, evidence }))["to"]);
    }
    if (status === "in-review") return;
    await this.call("submit_review", { ...one, status: status === "done" ? "approved" : status });
  }

  #context(signal: AbortSignal): CallContext {
    const hub = { storage: () => this.storage } as unknown as HubClient;
    return {
      hub,
      signal,
      caller: "transport.stdio",
      sessionId: this.id,
      provider: "",
      deadlineMs: Number.POSITIVE_INFINITY,
      traceParent: "",
      progress: () => {},
    };
  }
}

/** Evidence that opens the gate out of each state. */
export const EVIDENCE = {
  "in-progress": "## Changes\n- src/main.go (added)",
  "in-testing": "## Results\n- src/main_test.go: 3 passed",
  "in-docs": "## Docs\n- docs/login.md explains it",
} as const;

/** A session with one feature "Login" in `my-app`, and the arguments that name it. */
export async function withFeature(more: Record<string, unknown> = {}) {
  const session = new Session();
  await session.project();
  const id = await session.feature("Login", more);
  return { session, id, one: { project_id: "my-app", feature_id: id }, path: `my-app/features/${id}.md` };
}
