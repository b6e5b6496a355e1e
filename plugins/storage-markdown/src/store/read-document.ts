import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { StoredDocument } from "@orchestrator/runtime";
import { decodeDocument, type MarkdownDocument } from "../format/document.ts";
import { FrontMatterError } from "../format/yaml-error.ts";
import { fileFailure, systemCode } from "./failures.ts";
import { inspect, readWhole } from "./files.ts";
import { checkFile, type Place } from "./place.ts";
import { readVersion, UNCOUNTED } from "./version.ts";

/** More than this does not fit the frame that a document travels in. */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

/** @returns undefined where there is no such document */
export function readDocument(place: Place): StoredDocument | undefined {
  // Looked for before it is opened: opening what is not there costs an exception, and readers often ask for what is not.
  const stats = inspect(place.content);
  if (stats === undefined) return undefined;
  checkFile(stats, place.path);
  const version = readVersion(place) ?? UNCOUNTED;
  const bytes = readBytes(place, stats.size);
  if (bytes === undefined) return undefined;
  return { ...decode(bytes, place.path), version };
}

function readBytes(place: Place, size: number): Uint8Array | undefined {
  let bytes: ReturnType<typeof readWhole>;
  try {
    bytes = size > MAX_DOCUMENT_BYTES ? "too large" : readWhole(place.content, size, MAX_DOCUMENT_BYTES);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    // Something came in between that cannot be opened as a file: say what it is.
    const stats = inspect(place.content);
    if (stats !== undefined) checkFile(stats, place.path);
    throw fileFailure("Cannot read", place.path, error);
  }
  if (typeof bytes !== "string") return bytes;
  const text = `"${place.path}" is larger than ${MAX_DOCUMENT_BYTES} bytes`;
  throw new HubError(ErrorCode.FailedPrecondition, text);
}

function decode(bytes: Uint8Array, path: string): MarkdownDocument {
  try {
    return decodeDocument(bytes);
  } catch (error) {
    if (!(error instanceof FrontMatterError)) throw error;
    // Lines of the file: the fence is the first.
    const where = error.line > 0 ? `, line ${error.line + 1}` : "";
    throw new HubError(ErrorCode.DataLoss, `Cannot read "${path}"${where}: ${error.message}`, { cause: error });
  }
}
