import { ErrorCode, HubError } from "@orchestrator/protocol";
import {
  type JsonObject,
  type StorageClient,
  type StoredDocument,
  type StoredEntry,
  ToolError,
} from "@orchestrator/runtime";
import { mapConcurrent } from "./concurrent.ts";

/** What stands in one file: front matter and the text below it. */
export interface Document {
  readonly metadata: JsonObject;
  readonly body: string;
}

/** A document as it was read; `version` is what the next write of it must name. */
export interface StoredDocumentText extends Document {
  readonly version: number;
}

/** A record that is there but cannot be used. It is reported, never taken for absent. */
export class UnreadableRecord extends Error {
  override readonly name = "UnreadableRecord";
  readonly path: string;
  readonly reason: string;

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`Cannot read ${path}: ${reason}`, options);
    this.path = path;
    this.reason = reason;
  }
}

/** Keeps nothing from one use to the next. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Calls under way at once: enough to hide the round trip, well below the 100 streams that a connection may have. */
const MAX_AT_ONCE = 32;

/** Failures that say something about one document. Any other says something about the storage as a whole. */
const DOCUMENT_FAULTS: ReadonlySet<string> = new Set([
  ErrorCode.DataLoss,
  ErrorCode.InvalidArgument,
  ErrorCode.PermissionDenied,
  ErrorCode.FailedPrecondition,
  ErrorCode.FrameTooLarge,
  ErrorCode.Internal,
]);

/** Text documents with compare-and-set, on one storage. Every failure is a ToolError `storage_error`. */
export class Documents {
  readonly #storage: StorageClient;

  constructor(storage: StorageClient) {
    this.#storage = storage;
  }

  /**
   * @returns undefined where the storage says that there is no such document
   * @throws {UnreadableRecord} it is there and cannot be read
   * @throws {ToolError} `storage_error`: the storage does not answer
   */
  async peek(path: string): Promise<StoredDocumentText | undefined> {
    let stored: StoredDocument | undefined;
    try {
      stored = await this.#storage.read(path);
    } catch (error) {
      failedRead(path, error);
    }
    if (stored === undefined) return undefined;
    if (stored.metadata === undefined) throw new UnreadableRecord(path, "it has no front matter");
    try {
      return { metadata: stored.metadata, body: utf8.decode(stored.content), version: stored.version };
    } catch (error) {
      throw new UnreadableRecord(path, "it is not UTF-8 text", { cause: error });
    }
  }

  /**
   * Like `peek`, and sure of its answer: some hosts report a failed read as an absent document, and a document that
   * is still listed was not absent.
   */
  async read(path: string): Promise<StoredDocumentText | undefined> {
    const found = await this.peek(path);
    if (found !== undefined) return found;
    const listed = await this.list(path, path.slice(path.lastIndexOf("/") + 1));
    if (!listed.some((entry) => entry.path === path)) return undefined;
    // Or it was created just now: then the second look finds it.
    const again = await this.peek(path);
    if (again === undefined) throw new UnreadableRecord(path, "the storage lists it and cannot read it");
    return again;
  }

  /** Reads many at once; what was deleted meanwhile is left out, what cannot be read is reported beside the rest. */
  async readAll(paths: readonly string[]): Promise<{
    readonly found: readonly (StoredDocumentText & { readonly path: string })[];
    readonly unreadable: readonly UnreadableRecord[];
  }> {
    const unreadable: UnreadableRecord[] = [];
    const results = await mapConcurrent(paths, MAX_AT_ONCE, async (path) => {
      try {
        const document = await this.read(path);
        return document && { ...document, path };
      } catch (error) {
        if (!(error instanceof UnreadableRecord)) throw error;
        unreadable.push(error);
        return undefined;
      }
    });
    return { found: results.filter((result) => result !== undefined), unreadable };
  }

  /** @returns false where the document exists already */
  async create(path: string, document: Document): Promise<boolean> {
    return (await this.#write(path, document, 0)) !== undefined;
  }

  /**
   * Replaces the document if it still has the version that was read.
   * @returns false where it has changed or gone meanwhile
   */
  async replace(path: string, document: Document, version: number): Promise<boolean> {
    // A file that was made by hand has version 0 in some storages, where 0 would mean "create": the first counted
    // write has to be unconditional, and every later one is guarded.
    return (await this.#write(path, document, version === 0 ? -1 : version)) !== undefined;
  }

  /** Writes whatever is there, for records that hold one value and no history. */
  async put(path: string, document: Document): Promise<void> {
    if ((await this.#write(path, document, -1)) === undefined) throw failure("write", path, "version conflict");
  }

  /** @returns false where there was nothing */
  async remove(path: string): Promise<boolean> {
    return this.#storage.delete(path).catch((error: unknown) => {
      throw failure("delete", path, error);
    });
  }

  async removeAll(paths: readonly string[]): Promise<void> {
    await mapConcurrent(paths, MAX_AT_ONCE, (path) => this.remove(path));
  }

  async list(prefix: string, pattern: string): Promise<readonly StoredEntry[]> {
    return this.#storage.list(prefix, pattern).catch((error: unknown) => {
      throw failure("list", prefix === "" ? "projects" : prefix, error);
    });
  }

  async #write(path: string, document: Document, expectedVersion: number): Promise<number | undefined> {
    try {
      const options = { metadata: document.metadata, expectedVersion };
      return await this.#storage.write(path, document.body, options);
    } catch (error) {
      if (isConflict(error)) return undefined;
      throw failure("write", path, error);
    }
  }
}

/** For a record that was asked for by name, unreadable is a failure, not a remark. */
export async function orStorageError<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof UnreadableRecord) throw new ToolError("storage_error", error.message, { cause: error });
    throw error;
  }
}

function failedRead(path: string, error: unknown): never {
  if (error instanceof HubError && DOCUMENT_FAULTS.has(error.code)) {
    throw new UnreadableRecord(path, error.message, { cause: error });
  }
  throw failure("read", path, error);
}

function isConflict(error: unknown): boolean {
  if (!(error instanceof HubError)) return false;
  return error.code === ErrorCode.FailedPrecondition || error.code === ErrorCode.AlreadyExists;
}

function failure(action: string, path: string, reason: unknown): ToolError {
  const text = reason instanceof Error ? reason.message : String(reason);
  return new ToolError("storage_error", `Cannot ${action} ${path}: ${text}`, { cause: reason });
}
