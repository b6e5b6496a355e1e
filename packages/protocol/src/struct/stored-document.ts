import { type AllocateOptions, allocate } from "../envelope/allocate.ts";
import { varintSize } from "../envelope/wire.ts";
import { copyBytes, textFieldSize, textSize, writeTextField, writeVarint } from "../envelope/write.ts";
import { PluginResponse } from "../messages.ts";
import { writeStruct } from "./encode-struct.ts";
import type { JsonObject } from "./json.ts";
import { withWriter } from "./spare-writer.ts";

const REQUEST_ID_TAG = 10;
/** PluginResponse.storage_read and its fields. */
const STORAGE_READ_TAG = 242;
const CONTENT_TAG = 10;
const METADATA_TAG = 18;
const VERSION_TAG = 24;

/** What a storage gave, for the request of that id; empty in all other fields where there is no such document. */
export interface DocumentAnswer {
  readonly requestId: string;
  readonly content: Uint8Array;
  readonly metadata: JsonObject | undefined;
  readonly version: number;
}

/**
 * The PluginResponse of a storage_read that went well: the bytes that the generated codec writes.
 * @throws {HubError} as `encodeStruct`
 */
export function encodeDocumentAnswer(document: DocumentAnswer, options: AllocateOptions = {}): Uint8Array {
  const { requestId, content, metadata, version } = document;
  if (version !== version >>> 0) {
    const value = { content, metadata, version };
    return PluginResponse.encode({ requestId, response: { $case: "storageRead", value }, error: undefined }).finish();
  }
  return withWriter((writer) => {
    if (metadata !== undefined) writeStruct(writer, metadata);
    const metadataSize = writer.at;
    let bodySize = version === 0 ? 0 : 1 + varintSize(version);
    if (content.length > 0) bodySize += 1 + varintSize(content.length) + content.length;
    if (metadata !== undefined) bodySize += 1 + varintSize(metadataSize) + metadataSize;
    const idSize = textSize(requestId);
    const size = textFieldSize(REQUEST_ID_TAG, idSize) + 2 + varintSize(bodySize) + bodySize;
    const bytes = allocate(size, options);
    let at = writeTextField(bytes, 0, REQUEST_ID_TAG, requestId, idSize);
    at = writeVarint(bytes, writeVarint(bytes, at, STORAGE_READ_TAG), bodySize);
    if (content.length > 0) {
      bytes[at] = CONTENT_TAG;
      at = copyBytes(bytes, writeVarint(bytes, at + 1, content.length), content, 0, content.length);
    }
    if (metadata !== undefined) {
      bytes[at] = METADATA_TAG;
      at = copyBytes(bytes, writeVarint(bytes, at + 1, metadataSize), writer.bytes, 0, metadataSize);
    }
    if (version !== 0) {
      bytes[at] = VERSION_TAG;
      writeVarint(bytes, at + 1, version);
    }
    return bytes;
  });
}
