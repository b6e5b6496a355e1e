import { type Dirent, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { StoredEntry } from "@orchestrator/runtime";
import { compareBytewise } from "../format/key-order.ts";
import { fileFailure, systemCode } from "./failures.ts";
import { inspect } from "./files.ts";
import { sweepStaged } from "./leftovers.ts";
import { isDocumentName, OWN_PREFIX, VERSION_SUFFIX } from "./paths.ts";
import { checkFile, NEXT_VERSION_SUFFIX, placeOf } from "./place.ts";
import { readVersion, readVersionFile, UNCOUNTED } from "./version.ts";

/** Entries between two pauses: about a millisecond of work, so that other calls are not kept waiting. */
const ENTRIES_PER_TURN = 64;

/** Walks one directory of documents, or looks at one document. */
export class Lister {
  readonly #root: string;
  readonly #accepts: (name: string) => boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #entries: StoredEntry[] = [];
  #looked = 0;

  constructor(root: string, accepts: (name: string) => boolean, signal: AbortSignal | undefined) {
    this.#root = root;
    this.#accepts = accepts;
    this.#signal = signal;
  }

  /** @param names of a directory or a file below the root; what is missing has no entries */
  async list(names: readonly string[]): Promise<readonly StoredEntry[]> {
    const stats = inspect(join(this.#root, ...names));
    if (stats === undefined) return [];
    if (stats.isDirectory()) await this.#walk(names);
    else {
      checkFile(stats, names.join("/"));
      this.#addFile(names);
    }
    return this.#entries;
  }

  #addFile(names: readonly string[]): void {
    const name = names.at(-1) as string;
    if (!isDocumentName(name) || !this.#accepts(name)) return;
    this.#add(names, () => readVersion(placeOf(this.#root, names)));
  }

  async #walk(names: readonly string[]): Promise<void> {
    const directory = join(this.#root, ...names);
    const children = readDirectory(directory, names.join("/"));
    const present = new Set(children.map(({ name }) => name));
    const own = children.filter(({ name }) => name.startsWith(OWN_PREFIX));
    sweepStaged(directory, own);
    // Only then can a version be anywhere but in its file.
    const writesUnderWay = own.some(({ name }) => name.endsWith(NEXT_VERSION_SUFFIX));
    for (const child of children) {
      if (++this.#looked % ENTRIES_PER_TURN === 0) {
        await nextTurn();
        this.#signal?.throwIfAborted();
      }
      const path = [...names, child.name];
      if (child.isDirectory()) await this.#walk(path);
      // Links are not followed, and pipes, sockets and devices are no documents.
      if (!child.isFile() || !isDocumentName(child.name) || !this.#accepts(child.name)) continue;
      this.#add(path, () => {
        if (writesUnderWay) return readVersion(placeOf(this.#root, path));
        const file = `${child.name}${VERSION_SUFFIX}`;
        return present.has(file) ? readVersionFile(join(directory, file)) : undefined;
      });
    }
  }

  #add(names: readonly string[], version: () => number | undefined): void {
    const stats: Stats | undefined = inspect(join(this.#root, ...names));
    // Deleted since the directory was read.
    if (stats === undefined) return;
    const { size, mtimeMs: modifiedAtMs } = stats;
    this.#entries.push({ path: names.join("/"), size, version: version() ?? UNCOUNTED, modifiedAtMs });
  }
}

/** In byte order of the names. */
function readDirectory(directory: string, label: string): Dirent[] {
  try {
    const children = readdirSync(directory, { withFileTypes: true });
    return children.sort((a, b) => compareBytewise(a.name, b.name));
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return [];
    throw fileFailure("Cannot list", label === "" ? "." : label, error);
  }
}
