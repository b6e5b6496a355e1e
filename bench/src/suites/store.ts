import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Store } from "@orchestrator/store";
import { opsPerSecond } from "../measure.ts";
import { type Pair, type Suite, summarize } from "../suite.ts";

const KEYS = 5_000;
const VALUE = new Uint8Array(100).fill(120);
const NAMESPACE = "bench";
const PEER = "node:sqlite, same thread";

const keyOf = (index: number): string => `settings/entry-${index % KEYS}`;

/** What one would write by hand on `node:sqlite`: one table, prepared statements, durable transactions of a given size. */
class RawStore {
  readonly #db: DatabaseSync;
  readonly #set;
  readonly #swap;
  readonly #get;
  readonly #list;

  constructor(file: string) {
    const db = new DatabaseSync(file);
    this.#db = db;
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;
      CREATE TABLE kv (namespace TEXT, key TEXT, value BLOB, version INTEGER, updated_at INTEGER, expires_at INTEGER,
      PRIMARY KEY (namespace, key))`);
    this.#set = db.prepare(
      `INSERT INTO kv VALUES (?, ?, ?, 1, ?, 0) ON CONFLICT DO UPDATE SET value = excluded.value, version = version + 1,
       updated_at = excluded.updated_at`,
    );
    this.#swap = db.prepare(
      "UPDATE kv SET value = ?, version = version + 1, updated_at = ? WHERE namespace = ? AND key = ? AND version = ?",
    );
    this.#get = db.prepare("SELECT value, version, updated_at, expires_at FROM kv WHERE namespace = ? AND key = ?");
    this.#list = db.prepare(
      "SELECT key, value, version, updated_at, expires_at FROM kv WHERE namespace = ? AND key >= ? ORDER BY key LIMIT ?",
    );
  }

  set(index: number): void {
    this.#set.run(NAMESPACE, keyOf(index), VALUE, Date.now());
  }

  swap(index: number, version: number): void {
    if (this.#swap.run(VALUE, Date.now(), NAMESPACE, keyOf(index), version).changes === 0)
      throw new Error("Lost a swap");
  }

  transaction(work: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    work();
    this.#db.exec("COMMIT");
  }

  get(index: number): unknown {
    return this.#get.get(NAMESPACE, keyOf(index));
  }

  list(index: number): unknown {
    return this.#list.all(NAMESPACE, keyOf(index), 100);
  }

  close(): void {
    this.#db.close();
  }
}

/** The hub's store beside `node:sqlite` used directly, with durable transactions of the same size. */
export const storeSuite: Suite = {
  name: "store",
  async run({ rounds, scale, progress }) {
    const directory = mkdtempSync(join(tmpdir(), "orchestrator-bench-store-"));
    const ms = Math.max(150, 600 * scale);
    try {
      await using store = await Store.open({ file: join(directory, "ours.db") });
      const raw = new RawStore(join(directory, "raw.db"));
      await fill(store, raw);
      const figures = new Map<string, { unit: string; pairs: Pair[] }>();
      const add = (name: string, unit: string, pair: Pair) => {
        const figure = figures.get(name) ?? { unit, pairs: [] };
        figure.pairs.push(pair);
        figures.set(name, figure);
      };
      for (let round = 0; round < rounds; round += 1) {
        progress(`store: round ${round + 1} of ${rounds}`);
        for (const writers of [1, 64, 1_024]) {
          const [ours, oursCpuUs] = await withCpu(() => writes(store, ms, writers));
          const [peer, peerCpuUs] = await withCpu(() => rawWrites(raw, ms, writers));
          add(`set/${writers}-writers`, "ops/s", { ours, peer });
          // What a busy machine does not change much, of both threads together.
          add(`set-cpu/${writers}-writers`, "us CPU", { ours: oursCpuUs / ours, peer: peerCpuUs / peer });
        }
        add("swap/64-writers", "ops/s", { ours: await swaps(store, ms, 64), peer: rawSwaps(raw, ms, 64) });
        let index = 0;
        const read = {
          ours: opsPerSecond(ms / 2, () => store.kv.get(NAMESPACE, keyOf(index++))),
          peer: opsPerSecond(ms / 2, () => raw.get(index++)),
        };
        add("get/100B", "ops/s", read);
        const list = {
          ours: opsPerSecond(ms / 2, () => store.kv.list(NAMESPACE, { startKey: keyOf(index++) }), 10),
          peer: opsPerSecond(ms / 2, () => raw.list(index++), 10),
        };
        add("list/100-entries", "ops/s", list);
        add("longest-turn/64-writers", "ms", { ours: await turn(store, ms), peer: await rawTurn(raw, ms) });
      }
      raw.close();
      return [...figures].map(([name, { unit, pairs }]) => summarize(name, unit, PEER, pairs));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

async function fill(store: Store, raw: RawStore): Promise<void> {
  const indexes = Array.from({ length: KEYS }, (_, index) => index);
  await Promise.all(indexes.map((index) => store.kv.set(NAMESPACE, keyOf(index), VALUE)));
  raw.transaction(() => {
    for (const index of indexes) raw.set(index);
  });
}

/** @returns what `work` does, and the processor time of this process per second, in microseconds */
async function withCpu(work: () => number | Promise<number>): Promise<[result: number, cpuUsPerSecond: number]> {
  const before = process.cpuUsage();
  const began = performance.now();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return [result, (user + system) / ((performance.now() - began) / 1_000)];
}

/** So many writers, each of which writes when its last write is on disk. @returns writes per second */
async function writes(store: Store, ms: number, writers: number): Promise<number> {
  const began = performance.now();
  let count = 0;
  const write = async (): Promise<void> => {
    while (performance.now() - began < ms) await store.kv.set(NAMESPACE, keyOf(count++), VALUE);
  };
  await Promise.all(Array.from({ length: writers }, write));
  return count / ((performance.now() - began) / 1_000);
}

function rawWrites(raw: RawStore, ms: number, batch: number): number {
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < ms) {
    raw.transaction(() => {
      for (let index = 0; index < batch; index += 1) raw.set(count++);
    });
  }
  return count / ((performance.now() - began) / 1_000);
}

/** Each writer has an entry of its own and writes on the condition that nobody else did. */
async function swaps(store: Store, ms: number, writers: number): Promise<number> {
  const began = performance.now();
  let count = 0;
  const write = async (_: unknown, writer: number): Promise<void> => {
    let expectedVersion = store.kv.get(NAMESPACE, keyOf(writer))!.version;
    while (performance.now() - began < ms) {
      expectedVersion = (await store.kv.set(NAMESPACE, keyOf(writer), VALUE, { expectedVersion })).version;
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  return count / ((performance.now() - began) / 1_000);
}

function rawSwaps(raw: RawStore, ms: number, batch: number): number {
  const versions = Array.from({ length: batch }, (_, index) => (raw.get(index) as { version: number }).version);
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < ms) {
    raw.transaction(() => {
      for (let index = 0; index < batch; index += 1) raw.swap(index, versions[index]!++);
    });
    count += batch;
  }
  return count / ((performance.now() - began) / 1_000);
}

/** What everybody else in the process waits for, at worst, while 64 writers write: the longest turn of the loop. */
async function turn(store: Store, ms: number): Promise<number> {
  const turns = watchTurns();
  await writes(store, ms, 64);
  return turns.end();
}

async function rawTurn(raw: RawStore, ms: number): Promise<number> {
  const turns = watchTurns();
  const began = performance.now();
  for (let count = 0; performance.now() - began < ms; ) {
    raw.transaction(() => {
      for (let index = 0; index < 64; index += 1) raw.set(count++);
    });
    await new Promise((resolve) => setImmediate(resolve));
  }
  return turns.end();
}

function watchTurns(): { end(): number } {
  let longest = 0;
  let last = performance.now();
  let isOver = false;
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(tick);
  };
  setImmediate(tick);
  return {
    end() {
      isOver = true;
      return longest;
    },
  };
}
