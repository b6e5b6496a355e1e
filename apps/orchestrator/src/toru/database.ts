import { DatabaseSync } from "node:sqlite";
import { type ImportedEntry, MAX_KEY_BYTES, MAX_VALUE_BYTES, type NewEvent } from "@orchestrator/store";
import { CliError, ExitCode } from "../exit-code.ts";

/** What an existing core keeps in its database. */
export interface ToruDatabase {
  readonly entries: readonly ImportedEntry[];
  readonly events: readonly NewEvent[];
  /** Events from before `sinceMs`. */
  readonly tooOld: number;
  /** The id of the installation, in lower case; undefined where there is none. */
  readonly instanceId: string | undefined;
  /** One line for each thing that cannot be taken over. */
  readonly leftOut: readonly string[];
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
/** Ids of plugins, as the hub takes them. */
const PLUGIN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const COLUMNS = {
  settings: ["key", "value"],
  plugin_kv: ["plugin_id", "key", "value"],
  plugin_events: ["plugin_id", "event_type", "timestamp", "details"],
} as const;
type Table = keyof typeof COLUMNS;
/** Of a name that was left out. */
const SHOWN_CHARACTERS = 100;

/**
 * Reads the database of an existing core. It is opened for reading alone, and the core may run meanwhile.
 * @throws {CliError} for a file that is something else
 */
export function readToruDatabase(file: string, sinceMs: number): ToruDatabase {
  const refuse = (why: string, cause?: unknown) =>
    new CliError(ExitCode.Failure, `Cannot import "${file}": ${why}`, { code: "INVALID_ARGUMENT", cause });
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    const there = tables(db);
    if (!there.has("plugin_kv") && !there.has("plugin_events")) {
      throw refuse("it has neither a table plugin_kv nor a table plugin_events");
    }
    const leftOut: string[] = [];
    const rows = (table: Table) => (there.has(table) ? select(db!, table) : []);
    const entries = [...rows("plugin_kv")].flatMap((row) => toEntry(row, leftOut));
    const all = [...rows("plugin_events")].flatMap((row) => toEvent(row, leftOut));
    const events = all.filter(({ timeMs }) => timeMs >= sinceMs);
    const instanceId = [...rows("settings")].find(({ key }) => key === "instance_id")?.["value"];
    if (instanceId !== undefined && !isUuid(instanceId)) leftOut.push("instance_id: it is no UUID");
    return {
      entries,
      events,
      tooOld: all.length - events.length,
      instanceId: isUuid(instanceId) ? instanceId.toLowerCase() : undefined,
      leftOut,
    };
  } catch (error) {
    throw error instanceof CliError ? error : refuse(error instanceof Error ? error.message : String(error), error);
  } finally {
    db?.close();
  }
}

/** The tables with the columns that they are to have. */
function tables(db: DatabaseSync): ReadonlySet<Table> {
  const there = new Set<Table>();
  for (const [table, columns] of Object.entries(COLUMNS)) {
    const names = db.prepare("SELECT name FROM pragma_table_info(?)").all(table);
    const known = new Set(names.map(({ name }) => name));
    if (columns.every((column) => known.has(column))) there.add(table as Table);
  }
  return there;
}

function select(db: DatabaseSync, table: Table): Iterable<Record<string, unknown>> {
  const statement = db.prepare(`SELECT ${COLUMNS[table].join(", ")} FROM ${table}`);
  // A number that is too large for JavaScript would end the whole import; no number at all is what is looked for.
  statement.setReadBigInts(true);
  return statement.iterate();
}

function toEntry({ plugin_id: id, key, value }: Record<string, unknown>, leftOut: string[]): ImportedEntry[] {
  const why = (): string | undefined => {
    if (typeof id !== "string" || typeof key !== "string" || typeof value !== "string") return "it is no text";
    if (!PLUGIN_ID.test(id)) return "its plugin has no possible id";
    if (key === "" || Buffer.byteLength(key) > MAX_KEY_BYTES) return `a key has 1 to ${MAX_KEY_BYTES} bytes`;
    return Buffer.byteLength(value) > MAX_VALUE_BYTES ? `a value has up to ${MAX_VALUE_BYTES} bytes` : undefined;
  };
  const problem = why();
  if (problem === undefined) {
    return [{ namespace: id as string, key: Buffer.from(key as string), value: Buffer.from(value as string) }];
  }
  leftOut.push(`entry ${named(key)} of ${named(id)}: ${problem}`);
  return [];
}

function toEvent(row: Record<string, unknown>, leftOut: string[]): NewEvent[] {
  const { plugin_id: plugin, event_type: type, timestamp, details } = row;
  const timeMs = typeof timestamp === "string" ? Date.parse(timestamp) : Number.NaN;
  if (typeof plugin !== "string" || plugin === "" || typeof type !== "string" || type === "" || Number.isNaN(timeMs)) {
    leftOut.push(`event ${named(type)} of ${named(plugin)} at ${named(timestamp)}`);
    return [];
  }
  return [{ timeMs, plugin, type, details: detailsText(details) }];
}

/** An object, whatever was kept: events have details by name. */
function detailsText(details: unknown): string {
  if (typeof details !== "string" || details === "") return "{}";
  try {
    const value: unknown = JSON.parse(details);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return JSON.stringify(value);
    return value === null ? "{}" : JSON.stringify({ value });
  } catch {
    return JSON.stringify({ text: details });
  }
}

/** What stands in a row, so that it can be found there and fits into a line. */
function named(value: unknown): string {
  if (typeof value !== "string") return value instanceof Uint8Array ? `${value.length} bytes` : String(value);
  return JSON.stringify(value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value);
}

function isUuid(value: unknown): value is string {
  return typeof value === "string" && UUID.test(value);
}
