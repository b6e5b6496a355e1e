import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { DEFAULT_CONFIG_FILE } from "@orchestrator/config";
import { instanceIdFile, storeOptions } from "@orchestrator/hub";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type ImportCounts, Store } from "@orchestrator/store";
import { usage } from "../cli.ts";
import { CliError, ExitCode } from "../exit-code.ts";
import { loadHubConfig } from "../hub/default-config.ts";
import { replaceFile } from "../ide/write-config.ts";
import type { Io } from "../io.ts";
import { addPlugins } from "./config-edit.ts";
import { readToruDatabase, type ToruDatabase } from "./database.ts";
import { pluginFolder, readToruPlugins, type ToruPlugin } from "./folder.ts";
import { type InstanceIdOutcome, takeInstanceId } from "./instance-id.ts";

export interface ToruImportOptions {
  /** The working directory of the existing core. */
  readonly directory: string;
  /** Its database; default: `steering.db` in the directory, where it is. */
  readonly database: string | undefined;
  readonly workspace: string;
  readonly isExplicit: boolean;
  readonly overwrite: boolean;
  readonly dryRun: boolean;
}

export interface ToruImport {
  readonly directory: string;
  /** undefined where there is none. */
  readonly database: string | undefined;
  readonly dryRun: boolean;
  /** What changed; in a dry run what could, at most. */
  readonly entries: number;
  readonly events: number;
  /** Entries that are there with another value and were left as they are. */
  readonly conflicts: number;
  /** Events that the hub would forget at once. */
  readonly tooOld: number;
  readonly instanceId: InstanceIdOutcome;
  readonly plugins: readonly (ToruPlugin & { readonly added: boolean })[];
  /** The configuration that the plugins are in. */
  readonly config: string;
  readonly configIsNew: boolean;
  readonly leftOut: readonly string[];
}

const NO_DATABASE: ToruDatabase = { entries: [], events: [], tooOld: 0, instanceId: undefined, leftOut: [] };

/**
 * Takes over what an existing core has: entries, events, the id of the installation, its plugins. Everything is read and
 * checked before anything is written; entries and events come in one transaction; and a second time changes nothing.
 * @throws {CliError} for a directory or database that is something else, or while the hub of the workspace runs
 */
export async function importToru(io: Io, options: ToruImportOptions): Promise<ToruImport> {
  const { directory, workspace, overwrite, dryRun } = options;
  const { config } = await loadHubConfig(io, { workspace, isExplicit: options.isExplicit, flags: {} });
  const folder = pluginFolder(directory);
  const database = findDatabase(io, options);
  if (folder === undefined && database === undefined) {
    throw usage(
      `"${directory}" has neither plugins/ nor steering.db: name the working directory of the core, or its --db`,
    );
  }
  const sinceMs = Date.now() - config.store.eventsMaxAgeMs;
  const kept = database === undefined ? NO_DATABASE : readToruDatabase(database, sinceMs);
  const found = folder === undefined ? { plugins: [], leftOut: [] } : await readToruPlugins(folder, io);
  const file = config.file ?? join(config.workspace, DEFAULT_CONFIG_FILE);
  const configIsNew = !existsSync(file);
  const edited = addPlugins(configIsNew ? "" : readFileSync(file, "utf8"), file, found.plugins);

  const counts = dryRun ? planned(kept) : await store(config.store, kept, overwrite);
  const instanceId = takeInstanceId(instanceIdFile(config.stateDir), kept.instanceId, { overwrite, dryRun });
  if (!dryRun && edited.added.length > 0) replaceFile(file, edited.text);
  return {
    directory,
    database,
    dryRun,
    ...counts,
    tooOld: kept.tooOld,
    instanceId,
    plugins: found.plugins.map((plugin) => ({ ...plugin, added: edited.added.includes(plugin.id) })),
    config: file,
    configIsNew: configIsNew && edited.added.length > 0,
    leftOut: [...kept.leftOut, ...found.leftOut],
  };
}

function findDatabase(io: Io, { directory, database }: ToruImportOptions): string | undefined {
  const file = database === undefined ? join(directory, "steering.db") : resolve(io.cwd, database);
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  if (database === undefined) return undefined;
  throw usage(`There is no database "${file}"`);
}

function planned({ entries, events }: ToruDatabase): ImportCounts {
  return { entries: entries.length, events: events.length, conflicts: 0 };
}

async function store(
  config: Parameters<typeof storeOptions>[0],
  { entries, events }: ToruDatabase,
  overwrite: boolean,
): Promise<ImportCounts> {
  if (entries.length === 0 && events.length === 0) return { entries: 0, events: 0, conflicts: 0 };
  try {
    await using opened = await Store.open(storeOptions(config));
    return await opened.import({ entries, events, overwrite });
  } catch (reason) {
    const { code, message } = HubError.from(reason);
    const hint = code === ErrorCode.AlreadyExists ? { hint: "Stop the hub first: orchestrator stop" } : {};
    throw new CliError(ExitCode.Failure, message, { code, cause: reason, ...hint });
  }
}
