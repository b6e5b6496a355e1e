import { ErrorCode, HubError, type StorageEntry } from "@orchestrator/protocol";
import type { StoredEntry } from "../definition.ts";
import type { StorageClient } from "../hub-client.ts";
import { toJsonObject } from "../to-json.ts";
import type { Ask } from "./ask.ts";

const encoder = new TextEncoder();

/** The client of one storage type; "" leaves the choice of the default to the hub. */
export function createStorageClient(storageType: string, ask: Ask): StorageClient {
  return {
    async read(path, options) {
      const value = { path, storageType };
      const { content, metadata, version } = await ask({ $case: "storageRead", value }, "storageRead", options);
      // Nothing in any field is how "not there" travels. Old peers also answer so for every other failure.
      if (content.length === 0 && metadata === undefined && version === 0) return undefined;
      return { content, metadata, version };
    },
    async write(path, content, options = {}) {
      const expectedVersion = options.expectedVersion ?? -1;
      const metadata = options.metadata && toJsonObject(options.metadata, `The metadata of "${path}"`);
      const bytes = typeof content === "string" ? encoder.encode(content) : content;
      const value = { path, content: bytes, metadata, expectedVersion, storageType };
      const { success, newVersion, error } = await ask({ $case: "storageWrite", value }, "storageWrite", options);
      if (success) return newVersion;
      throw new HubError(writeCode(error, expectedVersion), error === "" ? `"${path}" was not written` : error);
    },
    async delete(path, options) {
      const value = { path, storageType };
      return (await ask({ $case: "storageDelete", value }, "storageDelete", options)).success;
    },
    async list(prefix = "", pattern = "", options) {
      const value = { prefix, pattern, storageType };
      const { entries } = await ask({ $case: "storageList", value }, "storageList", options);
      return entries.map(toEntry);
    },
  };
}

/** What a refused write means, where the peer says so in words only. */
function writeCode(error: string, expectedVersion: number): ErrorCode {
  if (/already exists/i.test(error)) return ErrorCode.AlreadyExists;
  if (/version conflict/i.test(error)) {
    return expectedVersion === 0 ? ErrorCode.AlreadyExists : ErrorCode.FailedPrecondition;
  }
  return ErrorCode.Internal;
}

function toEntry({ path, size, version, modifiedAt }: StorageEntry): StoredEntry {
  const modifiedAtMs = modifiedAt === undefined ? 0 : modifiedAt.seconds * 1000 + Math.floor(modifiedAt.nanos / 1e6);
  return { path, size, version, modifiedAtMs };
}
