import { type PluginRequest, RequestKind } from "@orchestrator/protocol";

/** The members of the request oneof, as the codecs name them. */
export type RequestCase = NonNullable<PluginRequest["request"]>["$case"];

/** The value of one member. */
export type RequestValue<C extends RequestCase> = Extract<NonNullable<PluginRequest["request"]>, { $case: C }>["value"];

const KINDS: Readonly<Record<RequestCase, RequestKind>> = {
  register: RequestKind.Register,
  boot: RequestKind.Boot,
  shutdown: RequestKind.Shutdown,
  health: RequestKind.Health,
  toolCall: RequestKind.ToolCall,
  listTools: RequestKind.ListTools,
  listPrompts: RequestKind.ListPrompts,
  promptGet: RequestKind.PromptGet,
  storageRead: RequestKind.StorageRead,
  storageWrite: RequestKind.StorageWrite,
  storageDelete: RequestKind.StorageDelete,
  storageList: RequestKind.StorageList,
  streamStart: RequestKind.StreamStart,
  streamCancel: RequestKind.StreamCancel,
  subscribe: RequestKind.Subscribe,
  unsubscribe: RequestKind.Unsubscribe,
  publish: RequestKind.Publish,
  control: RequestKind.Control,
  kv: RequestKind.Kv,
  http: RequestKind.Http,
};

/** The field number of what a request asks, or 0 where it asks nothing. */
export function kindOf(request: PluginRequest): RequestKind {
  return request.request === undefined ? RequestKind.None : KINDS[request.request.$case];
}
