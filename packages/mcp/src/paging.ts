import type { Params } from "./jsonrpc.ts";
import { invalidParams } from "./rpc-error.ts";

/** One page of a list, and where the next one starts. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | undefined;
}

/**
 * Cuts one page out of a list. Entries are sorted by key, and one key appears once; the cursor is the last key of the page
 * before, so a list that changes between two pages neither repeats nor skips what stayed.
 * @throws {RpcError} invalid parameters for a cursor that this list never gave out
 */
export function paginate<T>(
  list: readonly T[],
  options: { readonly kind: string; readonly key: (item: T) => string; readonly params: Params; readonly size: number },
): Page<T> {
  const { kind, key, params, size } = options;
  const byKey = new Map<string, T>();
  for (const item of list) if (!byKey.has(key(item))) byKey.set(key(item), item);
  const after = readCursor(kind, params["cursor"]);
  // By code unit: the same everywhere, whatever the locale.
  const keys = [...byKey.keys()].filter((name) => after === undefined || name > after).sort();
  const page = keys.slice(0, size);
  const items = page.map((name) => byKey.get(name) as T);
  const last = page.at(-1);
  return { items, nextCursor: keys.length > size && last !== undefined ? writeCursor(kind, last) : undefined };
}

function writeCursor(kind: string, key: string): string {
  return `${kind}~${encodeURIComponent(key.toWellFormed())}`;
}

function readCursor(kind: string, cursor: unknown): string | undefined {
  if (cursor === undefined || cursor === null) return undefined;
  if (typeof cursor === "string" && cursor.startsWith(`${kind}~`)) {
    const key = decode(cursor.slice(kind.length + 1));
    // One spelling only: what decodes but was not written by us is refused as well.
    if (key !== undefined && writeCursor(kind, key) === cursor) return key;
  }
  throw invalidParams('Invalid cursor: use the "nextCursor" of the page before, for the same list');
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
