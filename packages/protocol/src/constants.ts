/** Application protocol that QUIC peers of the plugin protocol negotiate. */
export const PROTOCOL_ALPN = "orchestra-plugin";

/** Where a hub listens for QUIC peers unless it is told otherwise. */
export const DEFAULT_LISTEN_ADDRESS = "localhost:50100";

/** Where a hub listens for plain framed TCP, once that is switched on. */
export const DEFAULT_TCP_ADDRESS = "localhost:50101";

/** Storage type that an empty `storage_type` stands for. */
export const DEFAULT_STORAGE_TYPE = "markdown";

/** Longest a call may take where neither the caller nor the operator said anything, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** Field numbers of the members of `PluginRequest.request`; a peek's `kind` is one of them, or 0 for none. */
export const RequestKind = {
  None: 0,
  Register: 10,
  Boot: 11,
  Shutdown: 12,
  Health: 13,
  ToolCall: 20,
  ListTools: 21,
  ListPrompts: 22,
  PromptGet: 23,
  StorageRead: 30,
  StorageWrite: 31,
  StorageDelete: 32,
  StorageList: 33,
  StreamStart: 40,
  StreamCancel: 41,
  Subscribe: 50,
  Unsubscribe: 51,
  Publish: 52,
  Control: 210,
  Kv: 220,
  Http: 230,
} as const;
export type RequestKind = (typeof RequestKind)[keyof typeof RequestKind];

/** Field numbers of the members of `PluginResponse.response`, or 0 for none (a plain acknowledgement). */
export const ResponseKind = {
  None: 0,
  Register: 10,
  Boot: 11,
  Shutdown: 12,
  Health: 13,
  ToolCall: 20,
  ListTools: 21,
  ListPrompts: 22,
  PromptGet: 23,
  StorageRead: 30,
  StorageWrite: 31,
  StorageDelete: 32,
  StorageList: 33,
  StreamChunk: 40,
  StreamEnd: 41,
  EventDelivery: 50,
  Progress: 201,
  Control: 210,
  Kv: 220,
  Http: 230,
} as const;
export type ResponseKind = (typeof ResponseKind)[keyof typeof ResponseKind];
