import type { JsonObject } from "./json.ts";
import { MAX_FRONT_MATTER_BYTES, MAX_UNCOMMON_UNITS } from "./limits.ts";
import { parseCommon } from "./parse-common.ts";
import { parseFull } from "./parse-full.ts";
import { FrontMatterError } from "./yaml-error.ts";

/**
 * Reads the YAML of a front matter.
 * @returns the map, empty where the YAML holds nothing but comments
 * @throws {FrontMatterError} for broken YAML, anything but a map, duplicate keys, alias bombs, more than 1 MiB, or more than
 * 128 KiB of YAML that has anchors, tags, flow collections and the like
 */
export function parseYaml(source: string): JsonObject {
  if (source.length > MAX_FRONT_MATTER_BYTES) {
    throw new FrontMatterError(`front matter is longer than ${MAX_FRONT_MATTER_BYTES} bytes`);
  }
  // YAML 1.1 takes these for line feeds wherever they stand.
  const text = /[\r\u0085]/.test(source) ? source.replace(/\r\n?|\u0085/g, "\n") : source;
  // Nearly every file is in the dialect that this plugin writes; reading that takes a tenth of the time.
  const common = parseCommon(text);
  if (common !== undefined) return common;
  if (text.length > MAX_UNCOMMON_UNITS) {
    throw new FrontMatterError(`front matter with anything but plain YAML is longer than ${MAX_UNCOMMON_UNITS} bytes`);
  }
  return parseFull(text);
}
