import {
  ErrorCode,
  errorResponse,
  HubError,
  PluginRequest,
  PluginResponse,
  type PromptDefinition,
  RequestKind,
  ToolDefinition,
} from "@orchestrator/protocol";
import { type AcceptLink, type IncomingCall, LinkPeer, memoryLinkPair } from "@orchestrator/transport";
import type { Connect } from "../src/index.ts";

type Response = PluginResponse["response"];
type Args = { readonly [key: string]: unknown };

/** A tool of the fake hub; what it returns is its result. */
export type FakeTool = (args: Args, call: FakeCall) => unknown;

export interface FakeCall {
  readonly request: PluginRequest;
  readonly incoming: IncomingCall;
  progress(progress: number, total: number, message: string): void;
}

/** Stands for a hub: it answers as one does, over whatever link it is given. */
export class FakeHub {
  readonly tools = new Map<string, FakeTool>();
  readonly definitions = new Map<string, ToolDefinition>();
  readonly prompts: PromptDefinition[] = [];
  readonly documents = new Map<string, { content: Uint8Array; metadata?: { [key: string]: unknown } }>();
  /** Every request, decoded, in order of arrival. */
  readonly requests: PluginRequest[] = [];
  readonly links = new Set<LinkPeer>();
  /** Answers storage calls with this error, and tells nobody else. */
  storageError: HubError | undefined;
  /** Leaves out the error field, as hosts do that do not know it. */
  legacy = false;

  /** For a listener. */
  readonly accept: AcceptLink = (link) => {
    const peer = new LinkPeer((call) => this.#serve(call));
    this.links.add(peer);
    void link.closed.then(() => this.links.delete(peer));
    return peer.accept(link);
  };

  /** A link in memory, to a hub of this name. */
  connect(name = "orchestrator"): Connect {
    return async (accept) =>
      memoryLinkPair({ accept: [accept, this.accept], names: ["transport.stdio-client", name] })[0];
  }

  addTool(name: string, run: FakeTool, definition: Partial<ToolDefinition> = {}): void {
    this.tools.set(name, run);
    this.definitions.set(name, ToolDefinition.fromPartial({ name, description: `The tool ${name}`, ...definition }));
  }

  write(path: string, text: string, metadata?: { [key: string]: unknown }): void {
    this.documents.set(path, {
      content: new TextEncoder().encode(text),
      ...(metadata === undefined ? {} : { metadata }),
    });
  }

  /** Sends an event to everybody, and waits until they have it or are gone. */
  async publish(topic: string, eventType: string, payload: { [key: string]: unknown } = {}): Promise<void> {
    const value = {
      topic,
      eventType,
      payload,
      sourcePlugin: "orchestrator",
      subscriptionId: topic,
      timestamp: undefined,
    };
    const request = { $case: "publish", value } as const;
    const message = PluginRequest.encode({ requestId: "event", request, context: undefined }).finish();
    const open = [...this.links].filter((peer) => peer.link.isOpen);
    // One that was killed seems to be there until its silence is noticed.
    await Promise.all(open.map((peer) => peer.call(message).catch(() => peer.link.closed)));
  }

  /** Resolves once this many requests of a kind have come. */
  async saw(kind: string, count = 1): Promise<PluginRequest[]> {
    for (;;) {
      const found = this.requests.filter((request) => request.request?.$case === kind);
      if (found.length >= count) return found;
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  readonly #watchers = new Set<() => void>();

  async #serve(incoming: IncomingCall): Promise<void> {
    const request = PluginRequest.decode(incoming.payload);
    this.requests.push(request);
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
    const { requestId } = request;
    const reply = (response: Response, last = true) =>
      incoming.reply(PluginResponse.encode({ requestId, response, error: undefined }).finish(), last);
    switch (request.request?.$case) {
      case "listTools":
        return void reply({ $case: "listTools", value: { tools: [...this.definitions.values()] } });
      case "listPrompts":
        return void reply({ $case: "listPrompts", value: { prompts: this.prompts } });
      case "promptGet": {
        const { promptName, arguments: args } = request.request.value;
        const found = this.prompts.some((prompt) => prompt.name === promptName);
        const content = { type: "text", text: `${promptName} ${JSON.stringify(args)}` };
        const messages = found ? [{ role: "user", content }] : [];
        return void reply({
          $case: "promptGet",
          value: { description: found ? "" : `No prompt ${promptName}`, messages },
        });
      }
      case "toolCall":
        return this.#toolCall(request, incoming, reply);
      case "streamStart":
        return this.#stream(request, incoming, reply);
      case "storageRead":
      case "storageList":
        return this.#storage(request, incoming, reply);
      default:
        return void reply(undefined);
    }
  }

  async #toolCall(
    request: PluginRequest,
    incoming: IncomingCall,
    reply: (response: Response) => unknown,
  ): Promise<void> {
    if (request.request?.$case !== "toolCall") return;
    const { toolName, arguments: args } = request.request.value;
    const tool = this.tools.get(toolName);
    if (tool === undefined || this.#isStreaming(toolName)) {
      return this.#fail(
        incoming,
        RequestKind.ToolCall,
        request,
        new HubError(ErrorCode.NotFound, `No tool "${toolName}"`),
      );
    }
    const progress: FakeCall["progress"] = (done, total, message) => {
      const response = { $case: "progress", value: { progress: done, total, message } } as const;
      incoming.reply(
        PluginResponse.encode({ requestId: request.requestId, response, error: undefined }).finish(),
        false,
      );
    };
    try {
      const result = (await tool(args ?? {}, { request, incoming, progress })) as
        | { [key: string]: unknown }
        | undefined;
      reply({ $case: "toolCall", value: { success: true, result, errorCode: "", errorMessage: "" } });
    } catch (reason) {
      const [errorCode = "", errorMessage = ""] = String((reason as Error).message).split(": ");
      reply({ $case: "toolCall", value: { success: false, result: undefined, errorCode, errorMessage } });
    }
  }

  async #stream(
    request: PluginRequest,
    incoming: IncomingCall,
    reply: (response: Response, last?: boolean) => Promise<void> | undefined,
  ): Promise<void> {
    if (request.request?.$case !== "streamStart") return;
    const { toolName, arguments: args, streamId } = request.request.value;
    let sequence = 0;
    const end = (errorCode: string, errorMessage: string) =>
      reply({
        $case: "streamEnd",
        value: { streamId, success: errorCode === "", errorCode, errorMessage, totalChunks: sequence },
      });
    const tool = this.tools.get(toolName);
    if (tool === undefined || !this.#isStreaming(toolName))
      return void end("tool_not_found", `No streaming tool "${toolName}"`);
    try {
      const pieces = tool(args ?? {}, { request, incoming, progress: () => {} }) as AsyncIterable<string | Uint8Array>;
      for await (const piece of pieces) {
        const data = typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
        await reply({ $case: "streamChunk", value: { streamId, data, contentType: "", sequence: sequence++ } }, false);
      }
      end("", "");
    } catch (reason) {
      if (!incoming.signal.aborted) end("handler_error", (reason as Error).message);
    }
  }

  /** A name of old is how a tool streams without saying so. */
  #isStreaming(name: string): boolean {
    return this.definitions.get(name)?.streaming === true || name.startsWith("old-stream");
  }

  #storage(request: PluginRequest, incoming: IncomingCall, reply: (response: Response) => unknown): void {
    if (this.storageError !== undefined) {
      const kind = request.request?.$case === "storageRead" ? RequestKind.StorageRead : RequestKind.StorageList;
      this.#fail(incoming, kind, request, this.storageError);
    } else if (request.request?.$case === "storageRead") {
      const found = this.documents.get(request.request.value.path);
      if (found === undefined && !this.legacy) {
        this.#fail(incoming, RequestKind.StorageRead, request, new HubError(ErrorCode.NotFound, "Not there"));
        return;
      }
      const { content = new Uint8Array(), metadata } = found ?? {};
      reply({ $case: "storageRead", value: { content, metadata, version: found === undefined ? 0 : 1 } });
    } else if (request.request?.$case === "storageList") {
      const { pattern } = request.request.value;
      const paths = [...this.documents.keys()].filter((path) => path.endsWith(pattern.replace("*", "")));
      const entries = paths.map((path) => {
        const size = this.documents.get(path)?.content.length ?? 0;
        return { path, size, version: 1, modifiedAt: { seconds: 1_767_312_000, nanos: 500_000_000 } };
      });
      reply({ $case: "storageList", value: { entries } });
    }
  }

  #fail(incoming: IncomingCall, kind: number, request: PluginRequest, error: HubError): void {
    const bytes = errorResponse(kind, request.requestId, error);
    if (!this.legacy) return void incoming.reply(bytes);
    incoming.reply(PluginResponse.encode({ ...PluginResponse.decode(bytes), error: undefined }).finish());
  }
}
