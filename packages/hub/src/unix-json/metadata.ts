import { isHttpRoute } from "@orchestrator/config";
import { ErrorCode, HubError, manifestFromJson, type PluginManifest } from "@orchestrator/protocol";

/** What a program prints when it is run with `--metadata`. */
export interface Metadata {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly author: string;
  /** An emoji. */
  readonly icon: string;
  /** The HTTP route that it serves. */
  readonly route: string;
}

/** Bytes, as existing cores have it. */
const MAX_NAME_BYTES = 100;

/** @throws {HubError} `INVALID_ARGUMENT`, says which rule is broken by which value */
export function parseMetadata(text: string): Metadata {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(text.trim() === "" ? "it printed nothing" : "it printed something else than JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("it is no JSON object");
  const fields = value as Readonly<Record<string, unknown>>;
  const take = (key: string, otherwise?: string): string => {
    const found = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (typeof found === "string") return found;
    if (otherwise !== undefined && (found === undefined || found === null)) return otherwise;
    throw invalid(found === undefined ? `"${key}" is missing` : `"${key}" is no text`);
  };
  const metadata: Metadata = {
    id: take("id"),
    name: take("name"),
    version: take("version"),
    author: take("author", ""),
    icon: take("icon", ""),
    route: take("route"),
  };
  const { id, route } = metadata;
  // An id stands in file names and on command lines.
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,99}$/.test(id)) {
    const rule = "is not of letters, digits and dashes, with a letter or digit in front, 100 at most";
    throw invalid(id === "" ? `"id" is empty` : `the id ${JSON.stringify(id.slice(0, 120))} ${rule}`);
  }
  for (const key of ["name", "author"] as const) {
    const bytes = Buffer.byteLength(metadata[key]);
    if (bytes > MAX_NAME_BYTES) throw invalid(`"${key}" has ${bytes} bytes, the limit is ${MAX_NAME_BYTES}`);
  }
  if (!isHttpRoute(route)) {
    const rule = `is not "/" and a name, or several of them`;
    throw invalid(`the route ${JSON.stringify(route.slice(0, 120))} ${rule}`);
  }
  return metadata;
}

/** The metadata as the manifest that every plugin has. */
export function manifestOf({ id, version, name, author, route }: Metadata): PluginManifest {
  return manifestFromJson(JSON.stringify({ id, version, description: name, author, provides_http: [route] }));
}

function invalid(what: string): HubError {
  return new HubError(ErrorCode.InvalidArgument, `Its metadata cannot be used: ${what}`);
}
