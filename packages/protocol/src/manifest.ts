import { ErrorCode, HubError } from "./errors.ts";
import { PluginManifest } from "./messages.ts";

/** Letters, digits and `. _ - @ +`, starting with a letter or digit: ids become file names and certificate names. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._@+-]*$/;
const MAX_ID_LENGTH = 64;

/** Semantic versions, and what plugins write instead: "dev", "v1.2", a date, a commit; or nothing. */
const VERSION = /^(?:[0-9A-Za-z][0-9A-Za-z.+_~-]*)?$/;
const MAX_VERSION_LENGTH = 64;

/** Names of tools, topics and the like: anything a person can read. */
const CONTROL = /[\u0000-\u001f\u007f]/;
const MAX_NAME_LENGTH = 256;

/** The largest plugin known has 100 tools. */
const MAX_LIST_LENGTH = 4096;
const MAX_TEXT_LENGTH = 16 * 1024;

const TEXTS = {
  id: "id",
  version: "version",
  description: "description",
  author: "author",
  language: "language",
  binary: "binary",
} as const;

const LISTS = {
  provides_tools: "providesTools",
  provides_storage: "providesStorage",
  provides_transport: "providesTransport",
  provides_ai: "providesAi",
  provides_prompts: "providesPrompts",
  provides_events: "providesEvents",
  provides_http: "providesHttp",
  needs_storage: "needsStorage",
  needs_ai: "needsAi",
  needs_tools: "needsTools",
  needs_events: "needsEvents",
  needs_http: "needsHttp",
  args: "args",
} as const;

/**
 * Checks what a plugin says of itself, wherever it said it.
 * @returns the same manifest
 * @throws {HubError} `INVALID_ARGUMENT`, naming the field, for an id that is no id, an unreadable version, and for names and lists
 * that are empty or too long
 */
export function checkManifest(manifest: PluginManifest): PluginManifest {
  const { id, version } = manifest;
  if (!ID.test(id) || id.length > MAX_ID_LENGTH) {
    throw invalid(
      `id ${quote(id)} needs 1 to ${MAX_ID_LENGTH} letters, digits and ". _ - @ +", and a letter or digit in front`,
    );
  }
  if (!VERSION.test(version) || version.length > MAX_VERSION_LENGTH) {
    throw invalid(`version ${quote(version)} of "${id}" should look like 1.2.3`);
  }
  for (const key of Object.values(TEXTS)) {
    if (manifest[key].length > MAX_TEXT_LENGTH)
      throw invalid(`${key} of "${id}" is over ${MAX_TEXT_LENGTH} characters`);
  }
  for (const [name, key] of Object.entries(LISTS)) {
    const list = manifest[key];
    if (list.length > MAX_LIST_LENGTH) throw invalid(`${name} of "${id}" has over ${MAX_LIST_LENGTH} entries`);
    if (key !== "args") for (const entry of list) checkName(entry, name, id);
  }
  return manifest;
}

/**
 * What `--manifest` prints: one line without its line break, keys in the order that other hosts' fixtures have, lists never
 * null. Events and the binary are not part of it; they travel in the register request.
 */
export function manifestToJson(manifest: PluginManifest): string {
  return JSON.stringify({
    id: manifest.id,
    version: manifest.version,
    description: manifest.description,
    author: manifest.author,
    language: manifest.language,
    provides_tools: manifest.providesTools,
    provides_storage: manifest.providesStorage,
    provides_transport: manifest.providesTransport,
    provides_ai: manifest.providesAi,
    provides_prompts: manifest.providesPrompts,
    needs_storage: manifest.needsStorage,
    needs_ai: manifest.needsAi,
    needs_tools: manifest.needsTools,
    ...(manifest.providesHttp.length > 0 ? { provides_http: manifest.providesHttp } : {}),
    ...(manifest.needsHttp.length > 0 ? { needs_http: manifest.needsHttp } : {}),
  });
}

/**
 * Reads what a plugin of any runtime prints for `--manifest`. Missing and null keys count as empty, unknown ones are ignored.
 * @throws {HubError} `INVALID_ARGUMENT` for text that is not a JSON object, a key of the wrong type, and as {@link checkManifest}
 */
export function manifestFromJson(text: string): PluginManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new HubError(ErrorCode.InvalidArgument, `Cannot read manifest: not JSON, it starts with ${quote(text)}`, {
      cause,
    });
  }
  if (!isObject(json)) throw invalid("not a JSON object");
  const manifest = PluginManifest.fromPartial({});
  for (const [name, key] of Object.entries(TEXTS)) manifest[key] = readString(json, name);
  for (const [name, key] of Object.entries(LISTS)) manifest[key] = readList(json, name);
  manifest.env = readEnv(json);
  return checkManifest(manifest);
}

function readString(json: Record<string, unknown>, name: string): string {
  const value = json[name] ?? "";
  if (typeof value !== "string") throw invalid(`"${name}" should be a string`);
  return value;
}

function readList(json: Record<string, unknown>, name: string): string[] {
  const value = json[name] ?? [];
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === "string")) {
    throw invalid(`"${name}" should be a list of strings`);
  }
  return value;
}

function readEnv(json: Record<string, unknown>): Record<string, string> {
  const value = json.env ?? {};
  if (!isObject(value) || !Object.values(value).every((entry) => typeof entry === "string")) {
    throw invalid('"env" should be an object of strings');
  }
  return value as Record<string, string>;
}

function checkName(name: string, list: string, id: string): void {
  if (name === "" || name.length > MAX_NAME_LENGTH || CONTROL.test(name)) {
    throw invalid(
      `${list} of "${id}" has ${quote(name)}, which is empty, over ${MAX_NAME_LENGTH} characters or not printable`,
    );
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Enough of a text to recognise it by. */
function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function invalid(what: string): HubError {
  return new HubError(ErrorCode.InvalidArgument, `Cannot accept manifest: ${what}`);
}
