import { ErrorCode, HubError } from "@orchestrator/protocol";
import type {
  CallSignal,
  JsonObject,
  ListKind,
  LogEntry,
  McpBackend,
  McpSession,
  McpSessionOptions,
  ToolCall,
} from "../src/index.ts";
import { createMcpSession } from "../src/index.ts";

/** What a tool of the test backend does. */
export type TestTool = (input: JsonObject, call: ToolCall) => unknown;

export interface TestBackend extends McpBackend {
  readonly tools: Map<string, TestTool>;
  /** Every call's name, input and signal, in order. */
  readonly seen: { readonly name: string; readonly input: JsonObject; readonly call: ToolCall }[];
  changed(kind: ListKind): void;
  said(entry: LogEntry): void;
  listeners(): number;
}

const answer = (value: JsonObject) => ({ ok: true as const, value });

/** A backend in memory with one of everything. */
export function testBackend(): TestBackend {
  const changes = new Set<(kind: ListKind) => void>();
  const logs = new Set<(entry: LogEntry) => void>();
  const seen: TestBackend["seen"] = [];
  const tools = new Map<string, TestTool>([
    ["echo", (input) => answer({ text: JSON.stringify(input) })],
    ["data", () => answer({ text: "two", count: 2, _ui: { view: "table" } })],
    ["fails", () => ({ ok: false, code: "gate_blocked", message: "The gate is closed" })],
    ["silent", () => ({ ok: false, code: "handler_error", message: "" })],
    [
      "waits",
      (_input, call) => new Promise((resolve) => onAbort(call.signal, () => resolve(answer({ text: "late" })))),
    ],
  ]);
  return {
    tools,
    seen,
    changed: (kind) => changes.forEach((listener) => void listener(kind)),
    said: (entry) => logs.forEach((listener) => void listener(entry)),
    listeners: () => changes.size + logs.size,
    listTools: async () => [
      { name: "zeta", description: "Last" },
      {
        name: "echo",
        title: "Echo",
        description: "Repeats",
        inputSchema: { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
        outputSchema: { type: "object" },
        annotations: { readOnlyHint: true, custom: 1 },
      },
      { name: "alpha", description: "First" },
    ],
    callTool: async (name, input, call) => {
      seen.push({ name, input, call });
      const tool = tools.get(name);
      if (tool === undefined) throw new HubError(ErrorCode.NotFound, `No plugin has the tool "${name}"`);
      return (await tool(input, call)) as never;
    },
    listPrompts: async () => [
      {
        name: "review",
        title: "Review",
        description: "Asks for a review",
        arguments: [
          { name: "language", description: "Which", required: true, suggestions: ["TypeScript", "Rust", "JavaScript"] },
          { name: "free" },
        ],
      },
    ],
    getPrompt: async (name, input) => {
      if (name !== "review") throw new HubError(ErrorCode.NotFound, `Unknown prompt: ${name}`);
      return { description: "A review", messages: [{ role: "user", text: `Review ${input["language"] ?? "it"}` }] };
    },
    listResources: async () => [
      {
        uri: "orchestra://app/features/FEAT-ABC",
        name: "FEAT-ABC",
        title: "Login",
        mimeType: "text/markdown",
        size: 12,
        modifiedAtMs: Date.UTC(2026, 0, 2),
      },
    ],
    listResourceTemplates: async () => [
      { uriTemplate: "orchestra://{project}/features/{id}", name: "feature", mimeType: "text/markdown" },
    ],
    readResource: async (uri) =>
      uri === "orchestra://app/features/FEAT-ABC" ? [{ uri, mimeType: "text/markdown", text: "# Login" }] : undefined,
    completeTemplate: async ({ variable, resolved }) =>
      variable === "project" ? ["app", "web-app", "zoo"] : [`FEAT-${resolved["project"] ?? "ANY"}`],
    onListChanged: (listener) => {
      changes.add(listener);
      return () => void changes.delete(listener);
    },
    onLog: (listener) => {
      logs.add(listener);
      return () => void logs.delete(listener);
    },
  };
}

/** Calls back when the signal aborts. */
export function onAbort(signal: CallSignal, listener: () => void): void {
  signal.addEventListener("abort", listener);
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
export type Message = { readonly [key: string]: any };

export interface TestSession {
  readonly session: McpSession;
  readonly backend: TestBackend;
  /** Everything sent so far, parsed. */
  readonly sent: Message[];
  readonly about: (string | number | undefined)[];
  send(message: unknown): void;
  /** Sends one request and waits for its answer. */
  ask(method: string, params?: unknown): Promise<Message>;
  /** Resolves with the next message that satisfies `wanted`, also one that was sent before. */
  saw(wanted: (message: Message) => boolean): Promise<Message>;
}

/** A session over a test backend, with the handshake done where a version is given. */
export function startSession(version?: string, options: Partial<McpSessionOptions> = {}): TestSession {
  const backend = (options.backend as TestBackend | undefined) ?? testBackend();
  const sent: Message[] = [];
  const about: (string | number | undefined)[] = [];
  const watchers = new Set<() => void>();
  const session = createMcpSession({
    backend,
    info: { name: "orchestra", title: "Orchestra", version: "1.2.3", description: "d", instructions: "Begin" },
    newSessionId: () => "session-1",
    ...options,
    send: (text, id) => {
      if (text.includes("\n")) throw new Error("A message must be one line");
      sent.push(JSON.parse(text));
      about.push(id);
      for (const watcher of [...watchers]) watcher();
    },
  });
  const saw = (wanted: (message: Message) => boolean): Promise<Message> =>
    new Promise((resolve) => {
      const look = () => {
        const found = sent.find(wanted);
        if (found === undefined) return;
        watchers.delete(look);
        resolve(found);
      };
      watchers.add(look);
      look();
    });
  const send = (message: unknown) => session.receive(JSON.stringify(message));
  let next = 0;
  const ask = (method: string, params?: unknown) => {
    const id = `ask-${++next}`;
    send({ jsonrpc: "2.0", id, method, params });
    return saw((message) => message["id"] === id);
  };
  if (version !== undefined) {
    send({ jsonrpc: "2.0", id: 0, method: "initialize", params: initializeParams(version) });
    send({ jsonrpc: "2.0", method: "notifications/initialized" });
    sent.length = 0;
    about.length = 0;
  }
  return { session, backend, sent, about, send, ask, saw };
}

export function initializeParams(protocolVersion: string): JsonObject {
  return { protocolVersion, capabilities: {}, clientInfo: { name: "test", version: "0" } };
}
