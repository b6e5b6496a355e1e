import { join, resolve } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Health, StorageWrite, StoredDocument, StoredEntry } from "@orchestrator/runtime";
import { encodeDocument } from "../format/document.ts";
import { FrontMatterError } from "../format/yaml-error.ts";
import { fileFailure } from "./failures.ts";
import { inspect, removeIfThere, syncDirectory, writeDurably } from "./files.ts";
import { compileGlob } from "./glob.ts";
import { stagedPath } from "./leftovers.ts";
import { Lister } from "./list-documents.ts";
import { splitDocumentPath, splitPath } from "./paths.ts";
import { directoriesExist, makeDirectories, type Place, placeOf } from "./place.ts";
import { MAX_DOCUMENT_BYTES, readDocument } from "./read-document.ts";
import { WorkspaceLock } from "./workspace-lock.ts";
import { checkExpectation, commitWrite, lookAt, removeDocument, type Staged } from "./write-document.ts";

/** The directory in a workspace that holds all documents. */
export const ROOT_NAME = ".projects";

export interface StoreCall {
  /** Ends a wait for the lock, or a long list. */
  readonly signal?: AbortSignal;
}

/**
 * Markdown documents under `<workspace>/.projects/`. Several stores, in one process or in several, may work on one
 * workspace. Every method throws HubError.
 */
export class MarkdownStore {
  readonly root: string;
  readonly #lock: WorkspaceLock;

  /** @param workspace need not exist yet: the first write makes it */
  constructor(workspace: string) {
    this.root = join(resolve(workspace), ROOT_NAME);
    this.#lock = new WorkspaceLock(this.root);
  }

  /** @returns undefined where there is no such document */
  async read(path: string): Promise<StoredDocument | undefined> {
    const names = splitDocumentPath(path);
    return this.#guard("Cannot read", path, () => {
      return directoriesExist(this.root, names.slice(0, -1)) ? readDocument(placeOf(this.root, names)) : undefined;
    });
  }

  /**
   * Writes a document; it is on the disk when this resolves, and a failure leaves what was there.
   * @returns the new version
   */
  async write({ path, content, metadata, expectedVersion }: StorageWrite, { signal }: StoreCall = {}): Promise<number> {
    if (!Number.isSafeInteger(expectedVersion) || expectedVersion < -1) {
      throw new HubError(ErrorCode.InvalidArgument, `expected_version must be -1 or more, not ${expectedVersion}`);
    }
    const names = splitDocumentPath(path);
    const place = placeOf(this.root, names);
    const bytes = encode({ content, metadata });
    return await this.#guard("Cannot write", path, async () => {
      const guess = this.#guessVersion(place, names, expectedVersion);
      const changed = makeDirectories(this.root, names.slice(0, -1));
      const version = await this.#stageAndCommit(place, bytes, { expectedVersion, guess, signal });
      await Promise.all([...changed, place.directory].map((directory) => syncDirectory(directory)));
      return version;
    });
  }

  /** Removes a document, never a directory. @returns false where there was none */
  async delete(path: string, { signal }: StoreCall = {}): Promise<boolean> {
    const names = splitDocumentPath(path);
    const place = placeOf(this.root, names);
    return await this.#guard("Cannot delete", path, async () => {
      if (!directoriesExist(this.root, names.slice(0, -1)) || inspect(place.content) === undefined) return false;
      const removed = await this.#lock.run(() => removeDocument(place), signal);
      if (removed) await syncDirectory(place.directory);
      return removed;
    });
  }

  /**
   * Lists documents in byte order of their names, directory by directory.
   * @param prefix a directory or a document, "" for everything; not the beginning of a name
   * @param pattern of the last name, "" for `*.md`
   */
  async list(prefix: string, pattern: string, { signal }: StoreCall = {}): Promise<readonly StoredEntry[]> {
    const names = prefix === "" ? [] : splitPath(prefix);
    const accepts = compileGlob(pattern);
    return await this.#guard("Cannot list", prefix, async () => {
      if (!directoriesExist(this.root, names.slice(0, -1))) return [];
      return await new Lister(this.root, accepts, signal).list(names);
    });
  }

  health(): Health {
    const stats = inspect(this.root);
    const details = { root: this.root };
    if (stats === undefined) return { status: "healthy", message: "nothing stored yet", details };
    if (stats.isDirectory()) return { status: "healthy", details };
    return { status: "unhealthy", message: "the storage root is not a directory", details };
  }

  /** Lets go of the lock file. The store can be used again. */
  close(): void {
    this.#lock.close();
  }

  /** Says no early, before anything touches the disk, and foresees the new version. */
  #guessVersion(place: Place, names: readonly string[], expected: number): number {
    const exists = directoriesExist(this.root, names.slice(0, -1));
    const current = exists ? lookAt(place) : { stats: undefined, version: 0, next: 1 };
    checkExpectation(current, expected);
    return current.next;
  }

  async #stageAndCommit(
    place: Place,
    bytes: Uint8Array,
    { expectedVersion, guess, signal }: { expectedVersion: number; guess: number; signal: AbortSignal | undefined },
  ): Promise<number> {
    const staged: Staged = {
      content: stagedPath(place.directory),
      version: stagedPath(place.directory),
      number: guess,
    };
    try {
      const writes = [writeDurably(staged.content, bytes), writeDurably(staged.version, String(guess))];
      // Both have to end before anything is cleaned up.
      const failure = (await Promise.allSettled(writes)).find((result) => result.status === "rejected");
      if (failure !== undefined) throw failure.reason;
      return await this.#lock.run(() => commitWrite(place, staged, expectedVersion), signal);
    } catch (error) {
      removeIfThere(staged.content);
      removeIfThere(staged.version);
      throw error;
    }
  }

  /** Turns whatever the file system throws into a HubError that names the path as it was asked for. */
  async #guard<T>(action: string, path: string, work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const aborted = error instanceof Error && error.name === "AbortError";
      throw aborted ? HubError.from(error.cause ?? error, ErrorCode.Cancelled) : fileFailure(action, path, error);
    }
  }
}

function encode(document: Pick<StorageWrite, "content" | "metadata">): Uint8Array {
  try {
    const bytes = encodeDocument(document);
    if (bytes.length <= MAX_DOCUMENT_BYTES) return bytes;
    throw new FrontMatterError(`the document is ${bytes.length} bytes, ${MAX_DOCUMENT_BYTES} at most`);
  } catch (error) {
    if (!(error instanceof FrontMatterError)) throw error;
    throw new HubError(ErrorCode.InvalidArgument, `Cannot write: ${error.message}`, { cause: error });
  }
}
