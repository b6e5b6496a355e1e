import {
  ErrorCode,
  errorResponse,
  HubError,
  type KvRequest,
  type KvResponse,
  PluginResponse,
  RequestKind,
} from "@orchestrator/protocol";
import type { CallId, Link } from "@orchestrator/transport";
import type { KvEntry } from "../kv-client.ts";

const MAX_KEY_BYTES = 1_024;
const MAX_VALUE_BYTES = 1_024 * 1_024;
const NOTHING = new Uint8Array();
const encoder = new TextEncoder();

interface Watch {
  readonly prefix: string;
  readonly send: (answer: Partial<KvResponse>) => void;
}

/** Entries in memory, with the rules that the hub's own store keeps. Nothing is told when one expires. */
export class MemoryKv {
  /** What is kept, by key; tests may put things in beforehand. */
  readonly entries = new Map<string, KvEntry>();
  readonly #watches = new Map<CallId, Watch>();
  #version = 0;

  /** Puts an entry in, as the plugin would. */
  set(key: string, value: Uint8Array | string, ttlMs = 0): KvEntry {
    const bytes = typeof value === "string" ? encoder.encode(value) : value;
    const now = Date.now();
    const expiresAtMs = ttlMs > 0 ? now + ttlMs : 0;
    for (const { version } of this.entries.values()) this.#version = Math.max(this.#version, version);
    this.#version += 1;
    const entry = { key, value: bytes, version: this.#version, updatedAtMs: now, expiresAtMs };
    this.entries.set(key, entry);
    this.#tell(entry, false);
    return entry;
  }

  /** The text of an entry, for a test that wants to see it. */
  text(key: string): string | undefined {
    const entry = this.#there(key);
    return entry && new TextDecoder().decode(entry.value);
  }

  /** Answers one request that came over a link. */
  answer(link: Link, call: CallId, requestId: string, request: KvRequest): void {
    const send = (value: Partial<KvResponse>, last: boolean) => {
      const empty = { entry: undefined, entries: [], nextKey: "", removed: false, lagged: false };
      const response = { $case: "kv", value: { ...empty, ...value } } as const;
      link.send(call, PluginResponse.encode({ requestId, response, error: undefined }).finish(), last);
    };
    try {
      const { operation } = request;
      if (operation?.$case === "watch") this.#watch(call, operation.value, (value) => send(value, false));
      else send(this.#carryOut(operation), true);
    } catch (reason) {
      link.send(call, errorResponse(RequestKind.Kv, requestId, HubError.from(reason)), true);
    }
  }

  /** The plugin has heard enough. */
  cancelled(call: CallId): void {
    this.#watches.delete(call);
  }

  #carryOut(operation: KvRequest["operation"]): Partial<KvResponse> {
    switch (operation?.$case) {
      case "get":
        return { entry: this.#there(checked(operation.value.key)) };
      case "set": {
        const { key, value, ttlMs, expected } = operation.value;
        this.#expect(checked(key), expected);
        if (value.length > MAX_VALUE_BYTES) throw invalid(`A value of ${value.length} bytes is too long`);
        return { entry: { ...this.set(key, value, ttlMs), value: NOTHING } };
      }
      case "delete": {
        const { key, expected } = operation.value;
        const entry = this.#expect(checked(key), expected);
        if (entry === undefined) return {};
        this.entries.delete(key);
        this.#tell(entry, true);
        return { entry: { ...entry, value: NOTHING } };
      }
      case "list": {
        const { prefix, startKey, keysOnly } = operation.value;
        const limit = Math.min(operation.value.limit || 100, 1_000);
        const all = this.#sorted(prefix).filter(({ key }) => compare(key, startKey) >= 0);
        const entries = all.slice(0, limit).map((entry) => (keysOnly ? { ...entry, value: NOTHING } : entry));
        return { entries, nextKey: all[limit]?.key ?? "" };
      }
      default:
        throw invalid("No such operation");
    }
  }

  #watch(call: CallId, { prefix, existing }: { prefix: string; existing: boolean }, send: Watch["send"]): void {
    this.#watches.set(call, { prefix, send });
    if (existing) for (const entry of this.#sorted(prefix)) send({ entry });
    send({});
  }

  #tell(entry: KvEntry, removed: boolean): void {
    for (const { prefix, send } of this.#watches.values()) {
      if (entry.key.startsWith(prefix)) send({ entry: removed ? { ...entry, value: NOTHING } : entry, removed });
    }
  }

  #expect(key: string, expected: { version: number } | undefined): KvEntry | undefined {
    const entry = this.#there(key);
    const version = entry?.version ?? 0;
    if (expected === undefined || expected.version === version) return entry;
    const what = `Entry "${key}" has version ${version}, and version ${expected.version} was expected`;
    throw new HubError(ErrorCode.FailedPrecondition, what);
  }

  #there(key: string): KvEntry | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && (entry.expiresAtMs === 0 || entry.expiresAtMs > Date.now()) ? entry : undefined;
  }

  #sorted(prefix: string): KvEntry[] {
    const keys = [...this.entries.keys()].filter((key) => key.startsWith(prefix)).sort(compare);
    return keys.map((key) => this.#there(key)).filter((entry) => entry !== undefined);
  }
}

function checked(key: string): string {
  const bytes = encoder.encode(key).length;
  if (bytes > 0 && bytes <= MAX_KEY_BYTES && key.isWellFormed()) return key;
  throw invalid(`A key has 1 to ${MAX_KEY_BYTES} bytes of valid Unicode`);
}

function invalid(message: string): HubError {
  return new HubError(ErrorCode.InvalidArgument, message);
}

/** In the order of their bytes, which is that of their code points. */
function compare(a: string, b: string): number {
  const left = encoder.encode(a);
  const right = encoder.encode(b);
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    if (left[index] !== right[index]) return left[index]! - right[index]!;
  }
  return left.length - right.length;
}
