import { isMap, isSeq, parseDocument } from "yaml";
import { CliError, ExitCode } from "../exit-code.ts";
import type { ToruPlugin } from "./folder.ts";

export interface EditedConfig {
  readonly text: string;
  /** Ids of the plugins that were not in it. */
  readonly added: readonly string[];
}

/**
 * Enters plugins at the end of `plugins`. What is there, comments too, stays: an entry with the same id or program is the
 * operator's by now.
 * @throws {CliError} for a file in which that cannot be done
 */
export function addPlugins(text: string, file: string, plugins: readonly ToruPlugin[]): EditedConfig {
  const refuse = (why: string) => new CliError(ExitCode.Failure, `Cannot add plugins to "${file}": ${why}`);
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw refuse(`it is not valid YAML: ${error.message.split("\n", 1)[0]}`);
  if (document.contents !== null && !isMap(document.contents)) throw refuse("it does not hold a mapping");
  const list: unknown = document.get("plugins");
  if (list !== undefined && list !== null && !isSeq(list)) throw refuse(`"plugins" is not a list`);
  const there = (document.toJS() as { plugins?: readonly { id?: unknown; binary?: unknown }[] } | null)?.plugins ?? [];
  const ids = new Set(there.map((entry) => entry?.id));
  const programs = new Set(there.map((entry) => entry?.binary));
  const missing = plugins.filter(({ id, file: program }) => !ids.has(id) && !programs.has(program));
  if (missing.length === 0) return { text, added: [] };
  const nodes = missing.map(({ id, file: binary, enabled }) => {
    return { id, binary, dialect: "unix-json", ...(enabled ? {} : { enabled: false }) };
  });
  if (isSeq(list)) for (const node of nodes) document.addIn(["plugins"], document.createNode(node));
  else document.set("plugins", document.createNode(nodes));
  return { text: document.toString({ lineWidth: 0 }), added: missing.map(({ id }) => id) };
}
