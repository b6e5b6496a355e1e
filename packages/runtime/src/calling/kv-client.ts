import { ErrorCode, HubError, type KvRequest } from "@orchestrator/protocol";
import type { CallOptions } from "../hub-client.ts";
import type { JsonValue } from "../json.ts";
import type { KvChange, KvClient, KvEntry, KvListOptions, KvSetOptions, KvWatchOptions } from "../kv-client.ts";
import { type Answer, type Ask, kvRequest } from "./ask.ts";

type KvAnswer = Answer<"kv">;
/** Asks once and yields the answers as they come. */
export type AskMany = (
  request: ReturnType<typeof kvRequest>,
  options?: CallOptions,
) => AsyncGenerator<KvAnswer, void, undefined>;

const encoder = new TextEncoder();
const NOTHING = new Uint8Array();

/** The client of the plugin's own entries: the hub knows whose they are. */
export function createKvClient(ask: Ask, askMany: AskMany): KvClient {
  const once = (operation: KvRequest["operation"], options?: CallOptions) => ask(kvRequest(operation), "kv", options);
  const get = async (key: string, options?: CallOptions) => {
    const { entry } = await once({ $case: "get", value: { key } }, options);
    return entry && toEntry(entry);
  };
  const set = async (key: string, value: Uint8Array | string, options: KvSetOptions = {}) => {
    const bytes = typeof value === "string" ? encoder.encode(value) : value;
    const { ttlMs = 0 } = options;
    const { entry } = await once(
      { $case: "set", value: { key, value: bytes, ttlMs, expected: expected(options) } },
      options,
    );
    return entry?.version ?? 0;
  };
  const list = async (prefix = "", options: KvListOptions = {}) => {
    const { startKey = "", limit = 0, keysOnly = false } = options;
    const { entries, nextKey } = await once({ $case: "list", value: { prefix, startKey, limit, keysOnly } }, options);
    return { entries: entries.map(toEntry), nextKey };
  };
  return {
    get,
    getText: async (key, options) => decodeText(await get(key, options)),
    getJson: async (key, options) => decodeJson(await get(key, options)),
    set,
    setJson: async (key, value, options) => await set(key, encodeJson(key, value), options),
    async delete(key, options = {}) {
      const { entry } = await once({ $case: "delete", value: { key, expected: expected(options) } }, options);
      return entry !== undefined;
    },
    list,
    async *entries(prefix, options) {
      let startKey = "";
      do {
        const page = await list(prefix, { ...options, startKey });
        yield* page.entries;
        startKey = page.nextKey;
      } while (startKey !== "");
    },
    async *watch(prefix = "", options: KvWatchOptions = {}) {
      const { existing = false } = options;
      for await (const answer of askMany(kvRequest({ $case: "watch", value: { prefix, existing } }), options)) {
        yield toChange(answer);
      }
    },
  };
}

function toChange({ entry, removed, lagged }: KvAnswer): KvChange {
  if (lagged) return { type: "lagged" };
  if (entry === undefined) return { type: "ready" };
  return { type: removed ? "removed" : "set", entry: toEntry(entry) };
}

function toEntry({ key, value, version, updatedAtMs, expiresAtMs }: KvEntry): KvEntry {
  return { key, value: value ?? NOTHING, version, updatedAtMs, expiresAtMs };
}

function expected({ expectedVersion }: { readonly expectedVersion?: number }) {
  return expectedVersion === undefined ? undefined : { version: expectedVersion };
}

function decodeText(entry: KvEntry | undefined): string | undefined {
  if (entry === undefined) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(entry.value);
  } catch (cause) {
    throw new HubError(ErrorCode.FailedPrecondition, `Entry "${entry.key}" is not text`, { cause });
  }
}

function decodeJson(entry: KvEntry | undefined): JsonValue | undefined {
  const text = decodeText(entry);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new HubError(ErrorCode.FailedPrecondition, `Entry "${entry!.key}" is not JSON`, { cause });
  }
}

function encodeJson(key: string, value: JsonValue): string {
  try {
    const text: string | undefined = JSON.stringify(value);
    if (text !== undefined) return text;
  } catch (cause) {
    throw new HubError(ErrorCode.InvalidArgument, `The value of "${key}" is not JSON`, { cause });
  }
  throw new HubError(ErrorCode.InvalidArgument, `The value of "${key}" is ${typeof value}, which JSON cannot hold`);
}
