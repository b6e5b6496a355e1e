import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Store, type StoreOptions } from "../src/index.ts";

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);

/** A directory that is gone at the end of the test. */
export interface Scratch extends AsyncDisposable {
  readonly path: string;
  /** The database in it. */
  readonly file: string;
}

export async function scratch(): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), "store-test-"));
  return {
    path,
    file: join(path, "orchestra.db"),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** A clock that stands still until it is moved. */
export class Clock {
  nowMs = 1_800_000_000_000;
  readonly now = (): number => this.nowMs;
}

/** A store in a directory of its own. */
export async function testStore(options: Partial<StoreOptions> = {}): Promise<Store & AsyncDisposable> {
  const directory = await scratch();
  const store = await Store.open({ file: directory.file, ...options });
  const close = store.close.bind(store);
  return Object.assign(store, {
    async [Symbol.asyncDispose]() {
      await close();
      await directory[Symbol.asyncDispose]();
    },
  });
}

/** The path of a program of the tests. */
export const fixture = (name: string): string => join(import.meta.dirname, "fixtures", name);

/** A program that holds something until it is told to end. */
export async function holder(name: string, file: string, ...more: string[]) {
  const child = spawn(process.execPath, [fixture(name), file, ...more], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const exit = once(child, "exit");
  return {
    pid: child.pid!,
    async end(signal?: NodeJS.Signals) {
      if (signal === undefined) child.stdin.end();
      else child.kill(signal);
      await exit;
    },
  };
}
