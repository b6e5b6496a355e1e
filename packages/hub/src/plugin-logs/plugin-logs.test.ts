import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { assert, asyncProperty } from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LogFile } from "./log-file.ts";
import { toLine } from "./log-line.ts";
import { PluginLogs } from "./plugin-logs.ts";
import { readLog } from "./read-log.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "orchestrator-logs-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const errors: Error[] = [];
const onError = (error: Error) => void errors.push(error);
const linesOf = (path: string) => readFileSync(path, "utf8").split("\n").slice(0, -1);
const entry = (text: string, level: "debug" | "info" | "warn" | "error" = "info") =>
  toLine({ timeMs: 0, source: "a", level, text, fields: undefined });

describe("a line", () => {
  it("of a plugin becomes a message", () => {
    expect(JSON.parse(entry("hello"))).toEqual({
      timestamp: "1970-01-01T00:00:00.000Z",
      level: "Info",
      message: "hello",
      plugin: "a",
    });
  });

  it("that is a log object keeps what it says, but not under another plugin's name", () => {
    const own = { timestamp: "2026-01-15T10:00:00Z", level: "WARNING", message: "m", plugin: "b", method: "GET" };
    expect(JSON.parse(entry(JSON.stringify(own)))).toEqual({ ...own, level: "Warn", plugin: "a" });
    expect(JSON.parse(entry('{"level":"error"}'))).toMatchObject({ level: "Info", message: '{"level":"error"}' });
    expect(JSON.parse(entry('{"message":"m","level":"loud","timestamp":"never"}'))).toMatchObject({
      level: "Info",
      timestamp: "1970-01-01T00:00:00.000Z",
    });
  });

  it("is one line of JSON whatever was written", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
          fc.json(),
        ),
        (text) => {
          const line = entry(text);
          expect(line.indexOf("\n")).toBe(line.length - 1);
          expect(JSON.parse(line)).toMatchObject({ plugin: "a" });
        },
      ),
    );
  });
});

describe("a file", () => {
  it("is made with its directory, for its owner alone, and goes on where it was", async () => {
    const path = join(directory, "deep", "a.log");
    for (const text of ["one", "two"]) {
      const file = new LogFile(path, { onError });
      file.write(entry(text));
      await file.close();
    }
    expect(linesOf(path).map((line) => JSON.parse(line).message)).toEqual(["one", "two"]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("is put aside when it is full, and the oldest of those is removed; nobody else's is touched", async () => {
    const path = join(directory, "a.log");
    const others = ["a-b.log", "a-b-20260101-000000.log", "a-20260101-000000.txt", "ab-20260101-000000.log"];
    for (const name of others) writeFileSync(join(directory, name), "x");
    writeFileSync(join(directory, "a-20200101-000000.log"), "old");
    const file = new LogFile(path, { rotateBytes: 400, keptFiles: 5, onError });
    for (let index = 0; index < 60; index += 1) {
      file.write(entry(`line ${index} ${"x".repeat(50)}`));
      await file.flush();
    }
    await file.close();
    const names = readdirSync(directory);
    expect(names).toEqual(expect.arrayContaining(others));
    expect(names).not.toContain("a-20200101-000000.log");
    expect(names.filter((name) => /^a-\d{8}-\d{6}(\.\d+)?\.log$/.test(name) && !others.includes(name))).toHaveLength(5);
    const { lines } = await readLog(path, { pageSize: 1_000 });
    const numbers = lines.map(({ message }) => Number(message.split(" ")[1]));
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
    expect(numbers[0]).toBe(59);
    expect(lines.length).toBeGreaterThanOrEqual(15);
  });

  it("drops what the disk does not take in time, and says how much", async () => {
    const path = join(directory, "a.log");
    const file = new LogFile(path, { onError });
    const long = "x".repeat(1024 * 1024);
    for (let index = 0; index < 8; index += 1) file.write(entry(long));
    await file.close();
    const messages = linesOf(path).map((line) => JSON.parse(line).message as string);
    expect(messages.at(-1)).toBe(
      `${8 - (messages.length - 1)} lines were dropped because the disk did not take them, or not as fast as they came`,
    );
  });

  it("that cannot be written says so once, costs nobody anything, and is written again as soon as it can be", async () => {
    errors.length = 0;
    const parent = join(directory, "logs");
    const path = join(parent, "a.log");
    // What is in the way of its directory.
    writeFileSync(parent, "");
    const file = new LogFile(path, { onError, retryMs: 1 });
    for (const text of ["one", "two"]) {
      file.write(entry(text));
      await file.flush();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(errors).toHaveLength(1);
    rmSync(parent);
    mkdirSync(parent);
    // As a disk that became full in the middle of a line leaves it.
    writeFileSync(path, `${entry("before")}{"message":"ha`);
    file.write(entry("three"));
    await file.close();
    const { lines } = await readLog(path);
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^2 lines were dropped/),
      "three",
      "before",
    ]);
    expect(errors).toHaveLength(1);
  });

  it("that cannot be written is not tried again for each line", async () => {
    errors.length = 0;
    const parent = join(directory, "logs");
    writeFileSync(parent, "");
    const file = new LogFile(join(parent, "a.log"), { onError, retryMs: 60_000 });
    file.write(entry("one"));
    await file.flush();
    rmSync(parent);
    file.write(entry("two"));
    await file.close();
    expect(existsSync(parent)).toBe(false);
  });
});

describe("reading", () => {
  it("gives pages, newest first, of a least level", async () => {
    const logs = new PluginLogs({ directory, onError: (_, error) => onError(error) });
    for (let index = 0; index < 25; index += 1) logs.write("a", index % 5 === 0 ? "warn" : "info", `${index}`);
    logs.write("a-b", "info", "of another");
    const messages = async (query: Parameters<PluginLogs["read"]>[1]) =>
      (await logs.read("a", query)).lines.map(({ message }) => message);
    expect(await messages({ page: 0, pageSize: 3 })).toEqual(["24", "23", "22"]);
    expect(await messages({ page: 2, pageSize: 3 })).toEqual(["18", "17", "16"]);
    expect(await messages({ page: 9, pageSize: 3 })).toEqual([]);
    expect(await messages({ level: "Warn" })).toEqual(["20", "15", "10", "5", "0"]);
    expect(await messages({ level: "Error" })).toEqual([]);
    expect((await logs.read("nobody")).lines).toEqual([]);
    await logs.close();
  });

  it("finds the lines of any file from its end, whatever their length, and passes over what is none", async () => {
    const path = join(directory, "a.log");
    await assert(
      asyncProperty(
        fc.array(fc.string({ maxLength: 40 }), { maxLength: 30 }),
        fc.integer({ min: 0, max: 200_000 }),
        async (texts, size) => {
          mkdirSync(directory, { recursive: true });
          const all = [...texts, "y".repeat(size), ...texts];
          writeFileSync(path, `${all.map((text) => entry(text)).join("")}half a li`);
          const { lines } = await readLog(path, { pageSize: 1_000 });
          expect(lines.map(({ message }) => message)).toEqual(
            all.map((text) => JSON.parse(entry(text)).message as string).reverse(),
          );
        },
      ),
      { numRuns: 40 },
    );
    writeFileSync(path, `${"z".repeat(3 * 1024 * 1024)}\n${entry("last")}`);
    expect((await readLog(path)).lines.map(({ message }) => message)).toEqual(["last"]);
  });
});
