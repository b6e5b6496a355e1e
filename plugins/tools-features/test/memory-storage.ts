import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { JsonObject, StorageClient, StoredDocument, StoredEntry } from "@orchestrator/runtime";

interface File {
  content: Uint8Array;
  metadata: JsonObject | undefined;
  version: number;
}

type Operation = "read" | "write" | "delete" | "list";

/** Markdown storage in memory, by the rules of the real one: versions, compare-and-set, listing by path. */
export class MemoryStorage implements StorageClient {
  readonly files = new Map<string, File>();
  /** `operation path`, in the order in which they began. */
  readonly calls: string[] = [];
  /** Every call rejects with this while it is set. */
  failure: HubError | undefined;
  /** Runs before an operation takes effect: the place for what another process does at that moment. */
  before: ((operation: Operation, path: string) => void | Promise<void>) | undefined;
  /** Answers a failed read like an absent document, as existing hosts do. */
  silent = false;
  /** Turns of the event loop that an operation takes, at random below this. */
  latency = 0;
  readonly #damaged = new Map<string, HubError>();

  async read(path: string): Promise<StoredDocument | undefined> {
    await this.#begin("read", path);
    const damage = this.#damaged.get(path);
    if (damage !== undefined && this.files.has(path)) {
      if (this.silent) return undefined;
      throw damage;
    }
    const file = this.files.get(path);
    return file && { ...file, metadata: copy(file.metadata) };
  }

  async write(
    path: string,
    content: Uint8Array | string,
    options: { metadata?: JsonObject; expectedVersion?: number } = {},
  ): Promise<number> {
    await this.#begin("write", path);
    const expected = options.expectedVersion ?? -1;
    const current = this.files.get(path)?.version ?? 0;
    if (expected === 0 && this.files.has(path)) {
      throw new HubError(ErrorCode.AlreadyExists, "file already exists (expected_version=0 means create new)");
    }
    if (expected > 0 && expected !== current) {
      throw new HubError(ErrorCode.FailedPrecondition, `version conflict: expected ${expected}, current ${current}`);
    }
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    this.files.set(path, { content: bytes, metadata: copy(options.metadata), version: current + 1 });
    return current + 1;
  }

  async delete(path: string): Promise<boolean> {
    await this.#begin("delete", path);
    return this.files.delete(path);
  }

  async list(prefix = "", pattern = "*.md"): Promise<readonly StoredEntry[]> {
    await this.#begin("list", prefix);
    const isBelow = (path: string) => prefix === "" || path === prefix || path.startsWith(`${prefix}/`);
    const glob = new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
    return [...this.files]
      .filter(([path]) => isBelow(path) && glob.test(path.slice(path.lastIndexOf("/") + 1)))
      .map(([path, file]) => ({ path, size: file.content.length, version: file.version, modifiedAtMs: 0 }))
      .sort((one, other) => (one.path < other.path ? -1 : 1));
  }

  /** Puts a file there without counting it, as a person or a checkout does. */
  place(path: string, metadata: JsonObject | undefined, body = "", version = 0): void {
    this.files.set(path, { content: new TextEncoder().encode(body), metadata, version });
  }

  damage(path: string, code: ErrorCode = ErrorCode.DataLoss): void {
    this.#damaged.set(path, new HubError(code, "bad front matter"));
  }

  metadata(path: string): JsonObject {
    const metadata = this.files.get(path)?.metadata;
    if (metadata === undefined) throw new Error(`No document ${path}`);
    return metadata;
  }

  body(path: string): string {
    return new TextDecoder().decode(this.files.get(path)?.content);
  }

  async #begin(operation: Operation, path: string): Promise<void> {
    this.calls.push(`${operation} ${path}`);
    await this.before?.(operation, path);
    for (let turn = Math.floor(Math.random() * this.latency); turn > 0; turn--) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    if (this.failure !== undefined) throw this.failure;
  }
}

function copy<T>(value: T): T {
  return value === undefined ? value : structuredClone(value);
}
