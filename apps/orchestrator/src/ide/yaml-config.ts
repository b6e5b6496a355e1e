import { parseDocument } from "yaml";
import { ConfigFileError } from "./server-entry.ts";

/**
 * Sets values at the top of a YAML text, and those of the one item of `list` whose name is `item.name`. Other keys, other
 * items and comments stay.
 * @throws {ConfigFileError} for a text that is not a YAML mapping
 */
export function editYaml(
  text: string,
  values: Readonly<Record<string, unknown>>,
  list: string,
  item: Readonly<Record<string, unknown>> & { readonly name: string },
): string {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw new ConfigFileError(`it is not valid YAML: ${error.message.split("\n", 1)[0]}`);
  const current: unknown = document.toJS();
  if (current !== null && (typeof current !== "object" || Array.isArray(current))) {
    throw new ConfigFileError("it does not hold a mapping");
  }
  const root = (current ?? {}) as Record<string, unknown>;
  let changed = false;
  const set = (path: readonly (string | number)[], value: unknown, old: unknown): void => {
    if (JSON.stringify(old) === JSON.stringify(value)) return;
    document.setIn([...path], document.createNode(value));
    changed = true;
  };
  for (const [key, value] of Object.entries(values)) set([key], value, root[key]);
  const items = root[list] ?? [];
  if (!Array.isArray(items)) throw new ConfigFileError(`"${list}" is not a list`);
  const index = items.findIndex((one: { name?: unknown }) => one?.name === item.name);
  if (items.length === 0) set([list], [item], undefined);
  else if (index < 0) {
    document.addIn([list], document.createNode(item));
    changed = true;
  } else for (const [key, value] of Object.entries(item)) set([list, index, key], value, items[index][key]);
  return changed ? document.toString({ lineWidth: 0 }) : text;
}
