import type { MemoryStorage } from "./memory-storage.ts";

/** Calls that run against each other, and what must hold after any order of what they do in the storage. */
export interface Race {
  readonly storage: MemoryStorage;
  readonly calls: readonly (() => Promise<unknown>)[];
  readonly check: (outcomes: readonly PromiseSettledResult<unknown>[]) => void;
}

/** Which of so many waiting operations takes effect next. */
type Pick = (count: number) => number;

/**
 * Runs a race once for every order in which its reads and writes can take effect.
 * @returns the number of orders
 */
export async function inEveryOrder(race: Race): Promise<number> {
  const files = new Map(race.storage.files);
  let path: number[] = [];
  for (let orders = 1; ; orders++) {
    const forks: { taken: number; readonly ways: number }[] = [];
    await inOneOrder(race, files, (ways) => {
      const taken = path[forks.length] ?? 0;
      forks.push({ taken, ways });
      return taken;
    });
    // The next order differs at the last fork that has a way left.
    while (forks.length > 0 && forks.at(-1)!.taken + 1 === forks.at(-1)!.ways) forks.pop();
    const last = forks.at(-1);
    if (last === undefined) return orders;
    last.taken += 1;
    path = forks.map(({ taken }) => taken);
  }
}

/** Runs a race in so many orders out of all; the same ones every time. */
export async function inSomeOrders(race: Race, count: number): Promise<void> {
  const files = new Map(race.storage.files);
  let state = 1;
  for (let order = 0; order < count; order++) {
    await inOneOrder(race, files, (ways) => {
      // A linear congruential generator, by its high bits: the low ones repeat soon.
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * ways);
    });
  }
}

/** Every read and write waits at a gate, and when all calls stand there or have ended, one passes. */
async function inOneOrder({ storage, calls, check }: Race, files: MemoryStorage["files"], pick: Pick): Promise<void> {
  storage.files.clear();
  for (const [path, file] of files) storage.files.set(path, file);
  const waiting: { readonly name: string; readonly pass: () => void }[] = [];
  storage.before = (operation, path) => {
    // No call of a race adds or removes a feature or sets the limit: when these are looked up makes no difference.
    if (operation === "list" || path.endsWith("/wip.json")) return;
    return new Promise((pass) => waiting.push({ name: `${operation} ${path}`, pass }));
  };
  const ended = Promise.allSettled(calls.map((call) => call()));
  const passed: string[] = [];
  for (;;) {
    // The calls wait for nothing else, so all that can happen without a further operation has happened after this.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (waiting.length === 0) break;
    const [next] = waiting.splice(pick(waiting.length), 1);
    passed.push(next!.name);
    next!.pass();
  }
  storage.before = undefined;
  try {
    check(await ended);
  } catch (error) {
    throw new Error(`Not so in the order\n${passed.join("\n")}`, { cause: error });
  }
}
