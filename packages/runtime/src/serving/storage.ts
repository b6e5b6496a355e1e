import { DEFAULT_STORAGE_TYPE, ErrorCode, HubError, type StorageEntry } from "@orchestrator/protocol";
import type { StorageProvider, StoredEntry } from "../definition.ts";
import { toJsonObject } from "../to-json.ts";
import type { RequestValue } from "./request-kind.ts";
import type { ServedCall } from "./served-call.ts";
import type { Serving } from "./serving.ts";

/** Nothing in any field: how "not there" has always travelled. */
const ABSENT = { content: new Uint8Array(), metadata: undefined, version: 0 };

/**
 * Answers with the document. One that is not there is no failure, and so carries no error: an error would say that the storage
 * itself is missing or broken.
 */
export async function serveStorageRead(call: ServedCall, request: RequestValue<"storageRead">, serving: Serving) {
  const { path } = request;
  const provider = providerOf(request.storageType, serving);
  const document = await absentAs(undefined, provider.read(path, serving.context(call)));
  if (document === undefined) return call.replyDocument(ABSENT);
  const { content, version } = document;
  // An empty file that nobody ever counted must not look like no file: its metadata are there, and empty.
  const isBlank = content.length === 0 && version === 0;
  const metadata = document.metadata ?? (isBlank ? {} : undefined);
  const safe = metadata && toJsonObject(metadata, `The metadata of "${path}"`);
  call.replyDocument({ content, metadata: safe, version });
}

export async function serveStorageWrite(call: ServedCall, request: RequestValue<"storageWrite">, serving: Serving) {
  const { path, content, metadata, expectedVersion, storageType } = request;
  const write = { path, content, metadata, expectedVersion };
  const newVersion = await providerOf(storageType, serving).write(write, serving.context(call));
  call.reply({ $case: "storageWrite", value: { success: true, newVersion, error: "" } });
}

export async function serveStorageDelete(call: ServedCall, request: RequestValue<"storageDelete">, serving: Serving) {
  const provider = providerOf(request.storageType, serving);
  const success = await absentAs(false, provider.delete(request.path, serving.context(call)));
  call.reply({ $case: "storageDelete", value: { success } });
}

export async function serveStorageList(call: ServedCall, request: RequestValue<"storageList">, serving: Serving) {
  const { prefix, pattern, storageType } = request;
  const entries = await providerOf(storageType, serving).list(prefix, pattern, serving.context(call));
  call.reply({ $case: "storageList", value: { entries: entries.map(toWireEntry) } });
}

/** Providers may also throw to say that there is no such document. */
async function absentAs<T>(absent: T, result: T | Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof HubError && error.code === ErrorCode.NotFound) return absent;
    throw error;
  }
}

function providerOf(type: string, serving: Serving): StorageProvider {
  const providers = serving.plugin.definition.storage ?? {};
  const name = type === "" ? DEFAULT_STORAGE_TYPE : type;
  const provider = Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (provider !== undefined) return provider;
  throw new HubError(ErrorCode.NotFound, `Storage type "${name}" is not one of this plugin's`);
}

function toWireEntry({ path, size, version, modifiedAtMs }: StoredEntry): StorageEntry {
  const seconds = Math.floor(modifiedAtMs / 1000);
  return { path, size, version, modifiedAt: { seconds, nanos: Math.round((modifiedAtMs - seconds * 1000) * 1e6) } };
}
