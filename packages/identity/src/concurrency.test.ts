import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { tempDirectory } from "../test/temp.ts";
import { openAuthority } from "./authority.ts";
import { acquireFileLock, withFileLock } from "./file-lock.ts";
import { ownIdentity } from "./process-identity.ts";

const run = promisify(execFile);
const fixture = (name: string): string => join(import.meta.dirname, "../test/fixtures", name);

describe("two programs at once", () => {
  it("agree on one authority and one leaf when they start together in an empty directory", async () => {
    const directory = join(tempDirectory(), "certs");
    const outputs = await Promise.all(
      [1, 2, 3].map(async () => (await run(process.execPath, [fixture("open-authority.ts"), directory])).stdout),
    );
    expect(new Set(outputs).size).toBe(1);
    expect(JSON.parse(outputs[0]!)).toMatchObject({ directory: join(directory, "plugins", "tools.features") });
    expect(readdirSync(directory).sort()).toEqual([
      "ca.crt",
      "ca.key",
      "orchestrator.crt",
      "orchestrator.key",
      "plugins",
    ]);
  });

  it("agree within one process as well", async () => {
    const directory = tempDirectory();
    const authorities = await Promise.all([1, 2, 3, 4].map(() => openAuthority(directory)));
    const leaves = await Promise.all(authorities.flatMap((authority) => [authority.leaf("x"), authority.leaf("x")]));
    expect(new Set(authorities.map((authority) => authority.caPem)).size).toBe(1);
    expect(new Set(leaves.map((leaf) => leaf.certPem)).size).toBe(1);
  });
});

describe("withFileLock", () => {
  it("lets one process in at a time", async () => {
    const directory = tempDirectory();
    const [lock, counter] = [join(directory, "lock"), join(directory, "counter")];
    writeFileSync(counter, "0");
    await Promise.all(
      [1, 2, 3].map(() => run(process.execPath, [fixture("count-under-lock.ts"), lock, counter, "60"])),
    );
    expect(readFileSync(counter, "utf8")).toBe("180");
    expect(readdirSync(directory)).toEqual(["counter"]);
  });

  it("takes over at once from a holder that was killed, however many want it", async () => {
    const directory = tempDirectory();
    const lock = join(directory, "lock");
    const holder = spawn(process.execPath, [fixture("hold-lock.ts"), lock], { stdio: ["ignore", "pipe", "inherit"] });
    await once(holder.stdout!, "data");
    await expect(withFileLock(lock, () => {}, { timeoutMs: 50 })).rejects.toMatchObject({
      code: ErrorCode.Unavailable,
      message: expect.stringContaining(`process ${holder.pid} holds it`),
    });
    holder.kill("SIGKILL");
    await once(holder, "exit");
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, () =>
        withFileLock(lock, async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setImmediate(resolve));
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("is not fooled by a process that got the id of a dead holder", async () => {
    const lock = join(tempDirectory(), "lock");
    // This very process id, but started at another time.
    writeFileSync(lock, JSON.stringify({ ...ownIdentity(), startTime: "1", token: "t" }));
    await withFileLock(lock, () => {}, { timeoutMs: 0 });
    expect(existsSync(lock)).toBe(false);
  });

  it("does not touch a living holder's lock, nor one of another machine", async () => {
    const directory = tempDirectory();
    for (const owner of [ownIdentity(), { ...ownIdentity(), scope: "elsewhere", startTime: "1" }]) {
      const lock = join(directory, "lock");
      writeFileSync(lock, JSON.stringify({ ...owner, token: "t" }));
      await expect(withFileLock(lock, () => {}, { timeoutMs: 20 })).rejects.toThrow(/holds it/);
      expect(existsSync(lock)).toBe(true);
    }
  });

  it("recovers from a lock whose recoverer was killed too", async () => {
    const lock = join(tempDirectory(), "lock");
    const dead = JSON.stringify({ ...ownIdentity(), startTime: "1", token: "t" });
    writeFileSync(lock, dead);
    writeFileSync(`${lock}.recover`, dead);
    await withFileLock(lock, () => {}, { timeoutMs: 0 });
    expect(existsSync(`${lock}.recover`)).toBe(false);
  });

  it("releases when the work throws, once only, and stops waiting when told", async () => {
    const lock = join(tempDirectory(), "lock");
    await expect(withFileLock(lock, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    const first = await acquireFileLock(lock);
    first();
    const release = await acquireFileLock(lock);
    first();
    expect(existsSync(lock)).toBe(true);
    const controller = new AbortController();
    const waiting = withFileLock(lock, () => {}, { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toThrow(/abort/i);
    release();
  });
});
