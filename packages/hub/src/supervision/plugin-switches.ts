import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";

const FILE = "plugins-state.json";

interface Saved {
  readonly enabled: boolean;
}

/**
 * What an operator has switched on and off, kept in a file over restarts of the hub. It wins over `enabled` in the config; a
 * plugin that nobody has switched is as the config says.
 */
export class PluginSwitches {
  readonly file: string;
  #plugins: ReadonlyMap<string, Saved>;

  /**
   * Reads the file. One that cannot be read is put aside, and the hub goes by its config: a plugin too many does less harm than a
   * hub that does not start.
   * @param warn told what was wrong, for people
   */
  constructor(stateDir: string, warn: (text: string) => void) {
    this.file = join(stateDir, FILE);
    this.#plugins = read(this.file, warn);
  }

  /** undefined where nobody has switched it. */
  isEnabled(plugin: string): boolean | undefined {
    return this.#plugins.get(plugin)?.enabled;
  }

  /** Returns when it is on disk. @throws {HubError} `INTERNAL` where it cannot be written; then nothing has changed */
  set(plugin: string, enabled: boolean): void {
    // Another hub, of another workspace, may keep its switches in the same file.
    const plugins = new Map([...this.#plugins, ...(known(this.file) ?? [])]).set(plugin, { enabled });
    const text = `${JSON.stringify({ version: 1, plugins: Object.fromEntries(plugins) }, null, 2)}\n`;
    const beside = `${this.file}.${process.pid}.new`;
    try {
      mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
      // Beside, flushed and renamed: after a power cut there is the old file or the new one.
      writeFileSync(beside, text, { mode: 0o600, flush: true });
      renameSync(beside, this.file);
    } catch (error) {
      rmSync(beside, { force: true });
      const what = `Cannot remember the switch of plugin "${plugin}" in ${this.file}: ${(error as Error).message}`;
      throw new HubError(ErrorCode.Internal, what, { cause: error });
    }
    this.#plugins = plugins;
  }
}

/** What stands in the file; undefined where it cannot be used, which is told at the start. */
function known(file: string): Map<string, Saved> | undefined {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** @throws what is wrong with it */
function parse(text: string): Map<string, Saved> {
  const { version, plugins } = JSON.parse(text) as { version: number; plugins: Record<string, Saved> };
  const entries = Object.entries(plugins);
  if (version !== 1 || entries.some(([, saved]) => typeof saved.enabled !== "boolean")) throw new Error("wrong shape");
  return new Map(entries.map(([id, { enabled }]) => [id, { enabled }]));
}

function read(file: string, warn: (text: string) => void): Map<string, Saved> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      warn(`Cannot read ${file}: ${(error as Error).message}. Plugins run as the config says`);
    }
    return new Map();
  }
  try {
    return parse(text);
  } catch (error) {
    const aside = `${file}.broken`;
    let kept = "";
    try {
      renameSync(file, aside);
      kept = ` It is kept as ${aside}.`;
    } catch {
      // The next switch writes over it.
    }
    warn(`${file} cannot be used: ${(error as Error).message}.${kept} Plugins run as the config says`);
    return new Map();
  }
}
