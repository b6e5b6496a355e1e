import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { watch } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Store } from "../src/index.ts";
import { scratch } from "./support.ts";

const ROUNDS = process.env["ORCHESTRATOR_SOAK"] === "full" ? 200 : 20;
const SEED = Number(process.env["ORCHESTRATOR_SEED"] ?? 4);

/** mulberry32: small, and the same everywhere. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function start(file: string, run: number, told: string): ChildProcess {
  const program = join(import.meta.dirname, "fixtures", "write-and-tell.ts");
  return spawn(process.execPath, [program, file, String(run), told], { stdio: ["ignore", "ignore", "inherit"] });
}

/** Waits until the writer has told so many bytes, or is gone. */
async function told(bytes: number, file: string, child: ChildProcess): Promise<void> {
  const heard = new AbortController();
  child.once("exit", () => heard.abort());
  const changes = watch(file, { signal: heard.signal });
  try {
    if (statSync(file).size >= bytes) return;
    for await (const _ of changes) if (statSync(file).size >= bytes) return;
  } catch (error) {
    if (!heard.signal.aborted) throw error;
  }
}

describe("a writer that is killed", () => {
  it(`has on disk everything that it was told was, in ${ROUNDS} rounds (seed ${SEED})`, {
    timeout: 600_000,
  }, async () => {
    await using directory = await scratch();
    const next = random(SEED);
    const there = new Map<string, number>();
    const maybeGone = new Set<string>();
    const gone = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const file = join(directory.path, `told-${round}`);
      writeFileSync(file, "");
      const child = start(directory.file, round, file);
      const closed = once(child, "close");
      // From the first words to some two hundred writes.
      await told(1 + next() * 4_000, file, child);
      child.kill("SIGKILL");
      await closed;
      const words = readFileSync(file, "utf8");
      // Only whole lines were told.
      for (const line of words.slice(0, words.lastIndexOf("\n")).split("\n")) {
        if (line.startsWith("?")) maybeGone.add(line.slice(1));
        else if (line.startsWith("-")) gone.add(line.slice(1));
        else there.set(line.split(" ")[0]!, Number(line.split(" ")[1]));
      }
    }
    for (const key of maybeGone) there.delete(key);
    expect(there.size, "rounds that wrote nothing show nothing").toBeGreaterThan(ROUNDS * 5);
    await using store = await Store.open({ file: directory.file });
    const wrong = [...there].filter(([key, version]) => store.kv.get("crash", key)?.version !== version);
    expect(wrong).toEqual([]);
    expect([...gone].filter((key) => store.kv.get("crash", key) !== undefined)).toEqual([]);
    // The sums that are kept beside the entries are those of the entries.
    let entries = 0;
    let bytes = 0;
    for (let startKey = ""; ; ) {
      const page = store.kv.list("crash", { limit: 1_000, startKey });
      entries += page.entries.length;
      for (const { key, value } of page.entries) bytes += key.length + value.length;
      startKey = page.nextKey;
      if (startKey === "") break;
    }
    expect(store.kv.usage("crash")).toEqual({ entries, bytes });
    const ids = store.events.query().map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(new Set(ids).size).toBe(ids.length);
  });
});
