import { ErrorCode, HubError } from "@orchestrator/protocol";

/**
 * Runs `start` for every item as soon as those that it depends on are done, independent ones at the same time.
 * A dependency that failed does not hold its dependents back for ever: `start` of the dependent runs and sees for itself.
 * @throws {HubError} `INVALID_ARGUMENT` for an unknown dependency or a cycle, before anything is started
 */
export async function startInOrder<T>(
  items: ReadonlyMap<string, { readonly dependsOn: readonly string[]; readonly value: T }>,
  start: (value: T) => Promise<unknown>,
): Promise<void> {
  assertOrderable(items);
  const started = new Map<string, Promise<void>>();
  const begin = (id: string): Promise<void> => {
    const known = started.get(id);
    if (known !== undefined) return known;
    const item = items.get(id)!;
    const promise = (async () => {
      await Promise.all(item.dependsOn.map(begin));
      await start(item.value);
    })();
    started.set(id, promise);
    return promise;
  };
  await Promise.all([...items.keys()].map(begin));
}

function assertOrderable(items: ReadonlyMap<string, { readonly dependsOn: readonly string[] }>): void {
  const done = new Set<string>();
  const visit = (id: string, path: readonly string[]): void => {
    if (done.has(id)) return;
    if (path.includes(id)) {
      const cycle = [...path.slice(path.indexOf(id)), id].join(" → ");
      throw new HubError(ErrorCode.InvalidArgument, `Plugins depend on each other in a circle: ${cycle}`);
    }
    const item = items.get(id);
    if (item === undefined) {
      throw new HubError(
        ErrorCode.InvalidArgument,
        `Plugin "${path.at(-1)}" depends on "${id}", which is not in the config or not enabled`,
      );
    }
    for (const next of item.dependsOn) visit(next, [...path, id]);
    done.add(id);
  };
  for (const id of items.keys()) visit(id, []);
}
