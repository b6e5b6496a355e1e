import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { StorageProvider, StoredDocument, StoredEntry } from "../definition.ts";

/** Documents in memory, with the rules that storage plugins keep: versions count writes, prefixes are directories. */
export interface MemoryStorage extends StorageProvider {
  /** What is stored, by path; tests may put things in beforehand. */
  readonly documents: Map<string, StoredDocument>;
}

export function memoryStorage(): MemoryStorage {
  const documents = new Map<string, StoredDocument>();
  return {
    documents,
    read: async (path) => documents.get(path),
    async write({ path, content, metadata, expectedVersion }) {
      const current = documents.get(path)?.version ?? 0;
      if (expectedVersion === 0 && documents.has(path)) {
        throw new HubError(ErrorCode.AlreadyExists, "file already exists (expected_version=0 means create new)");
      }
      if (expectedVersion > 0 && expectedVersion !== current) {
        const text = `version conflict: expected ${expectedVersion}, current ${current}`;
        throw new HubError(ErrorCode.FailedPrecondition, text);
      }
      documents.set(path, { content, metadata, version: current + 1 });
      return current + 1;
    },
    delete: async (path) => documents.delete(path),
    async list(prefix, pattern) {
      const names = globToRegExp(pattern || "*.md");
      const isUnder = (path: string) =>
        prefix === "" || path === prefix || path.startsWith(prefix.replace(/\/?$/, "/"));
      return [...documents.entries()]
        .filter(([path]) => isUnder(path) && names.test(path.slice(path.lastIndexOf("/") + 1)))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([path, { content, version }]): StoredEntry => {
          return { path, size: content.byteLength, version, modifiedAtMs: 0 };
        });
    },
  };
}

/** `*` and `?` as shells have them; everything else stands for itself. */
function globToRegExp(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s");
}
