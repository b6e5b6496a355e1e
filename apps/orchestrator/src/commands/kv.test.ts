import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Store } from "@orchestrator/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Scratch } from "../../test/hub.ts";
import { type RunOptions, run } from "../../test/run.ts";

let scratch: Scratch;
beforeAll(async () => {
  scratch = new Scratch();
  await scratch.serve();
});
afterAll(async () => scratch[Symbol.asyncDispose]());

const here = (args: readonly string[], options: RunOptions = {}) =>
  run(args, { cwd: scratch.workspace, env: scratch.env, ...options });
const kv = (args: readonly string[], options: RunOptions = {}) =>
  here(["kv", ...args, "--namespace", "tools.echo"], options);

describe("kv", () => {
  it("sets, gets, lists and deletes", async () => {
    expect((await kv(["set", "mode", "fast"])).stdout).toBe("mode version 1\n");
    expect(await kv(["get", "mode"])).toMatchObject({ code: 0, stdout: "fast", stderr: "" });
    expect((await kv(["set", "note", "--json"], { input: "from stdin\n" })).json()).toMatchObject({
      key: "note",
      version: 2,
      expiresAt: null,
    });
    expect((await kv(["get", "note"])).stdout).toBe("from stdin\n");
    expect((await kv(["get", "note", "--json"])).json()).toMatchObject({
      key: "note",
      value: "from stdin\n",
      version: 2,
    });
    const { entries } = (await kv(["list", "--json"])).json();
    expect(entries.map(({ key, value }: { key: string; value: string }) => [key, value])).toEqual([
      ["mode", "fast"],
      ["note", "from stdin\n"],
    ]);
    expect((await kv(["list", "m"])).stdout).toMatch(/^mode +v1 +4 B +fast\n$/);
    expect((await kv(["list", "--keys-only", "--limit", "1"])).stdout).toMatch(/^mode +v1\n\nMore from "note"/);
    expect((await kv(["delete", "note"])).code).toBe(0);
    expect(await kv(["get", "note"])).toMatchObject({ code: 3, stdout: "" });
    expect(await kv(["delete", "note"])).toMatchObject({ code: 3 });
    expect((await kv(["list", "x"])).stdout).toBe('No entries that begin with "x".\n');
  });

  it("sets on conditions and for a time", async () => {
    expect((await kv(["set", "lock", "me", "--if-absent"])).code).toBe(0);
    const refused = await kv(["set", "lock", "you", "--if-absent", "--json"]);
    expect(refused.code).toBe(1);
    expect(refused.json().error).toMatchObject({ code: "FAILED_PRECONDITION" });
    const { version } = (await kv(["get", "lock", "--json"])).json();
    expect((await kv(["delete", "lock", "--if-version", String(version + 1)])).code).toBe(1);
    expect((await kv(["set", "lock", "you", "--if-version", String(version)])).code).toBe(0);
    expect((await kv(["set", "short", "x", "--ttl", "7d"])).stdout).toMatch(/^short version \d+, until 20/);
    expect((await kv(["set", "short", "x", "--ttl", "1ms"])).code).toBe(0);
    await expect.poll(async () => (await kv(["get", "short"])).code).toBe(3);
  });

  it("keeps bytes as they are", async () => {
    const binary = await kv(["set", "bin", "--json"], { input: "\u0000\u0001ÿ" });
    expect(binary.code).toBe(0);
    expect((await kv(["get", "bin"])).stdout).toBe("\u0000\u0001ÿ");
  });

  it("says what is wrong with a command line, and whose entries there are", async () => {
    const nobody = await here(["kv", "get", "x"]);
    expect(nobody).toMatchObject({ code: 2 });
    expect(nobody.stderr).toContain("--namespace ID");
    expect(nobody.stderr).toContain("tools.echo");
    for (const args of [
      ["get"],
      ["get", "a", "b"],
      ["get", "a", "--ttl", "5m"],
      ["set", "a", "b", "--if-absent", "--if-version", "3"],
      ["set", "a", "b", "--ttl", "soon"],
      ["list", "--limit", "0"],
      ["wipe"],
      ["set", "", "x"],
      ["get", "", "--json"],
    ]) {
      expect((await kv(args)).code, args.join(" ")).toBe(2);
    }
    expect((await here(["kv", "list", "--namespace="])).code).toBe(2);
    expect((await kv(["set", "", "x"])).stderr).toContain("A key must not be empty");
    expect((await run(["kv", "list", "-n", "x"], { cwd: "/", env: scratch.env })).code).toBe(3);
  });

  it("warns of a namespace that no plugin has, and keeps the entry", async () => {
    const other = (...args: string[]) => here(["kv", ...args, "--namespace", "tools.ecco"]);
    const warning = expect.stringContaining('warning: No plugin here has the id "tools.ecco"; there are: tools.echo');
    expect(await other("list")).toMatchObject({ code: 0, stdout: "No entries.\n", stderr: warning });
    expect(await other("set", "a", "b")).toMatchObject({ code: 0, stdout: "a version 1\n", stderr: warning });
    expect(await other("list")).toMatchObject({ code: 0, stderr: "" });
    expect(await other("delete", "a")).toMatchObject({ code: 0, stderr: "" });
    expect((await kv(["list", "none"])).stderr).toBe("");
  });

  it("watches until it is interrupted", async () => {
    await kv(["set", "w/1", "old"]);
    const watch = scratch.start("kv", "watch", "w/", "--existing", "--json", "--namespace", "tools.echo");
    await watch.until(() => watch.stdout.includes('"ready"'), "the watch to be in place");
    await kv(["set", "w/2", "new"]);
    await kv(["delete", "w/1"]);
    await watch.until(() => watch.stdout.includes('"removed"'), "the removal");
    watch.child.kill("SIGINT");
    expect(await watch.exited).toBe(0);
    const told = watch.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; key?: string });
    expect(told.map(({ type, key }) => [type, key])).toEqual([
      ["set", "w/1"],
      ["ready", undefined],
      ["set", "w/2"],
      ["removed", "w/1"],
    ]);
  });
});

describe("events", () => {
  it("shows what happened, and goes on", async () => {
    const events = async (...args: string[]) =>
      (await here(["events", "--json", ...args])).stdout
        .trim()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as { type: string; plugin: string; id: number });
    const all = await events("--since", "1h");
    expect(all.filter(({ plugin }) => plugin === "tools.echo").map(({ type }) => type)).toContain("ready");
    expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted((a, b) => a - b));
    const nobody = await here(["events", "--plugin", "nobody", "--type", "crash"]);
    expect(nobody).toMatchObject({ code: 0, stdout: "" });
    expect(nobody.stderr).toMatch(
      /no "crash"; its events are started, .*\n.*No plugin here has the id "nobody"; there are: /,
    );
    expect(await here(["events", "--plugin", "tools.echo", "--type", "reset"])).toMatchObject({ code: 0, stderr: "" });
    expect((await events("--type", "ready", "-n", "1")).map(({ type }) => type)).toEqual(["ready"]);
    expect(await events("--since", "2100-01-01")).toEqual([]);
    expect((await here(["events"])).stdout).toMatch(/\d\d:\d\d\.\d{3} {2}tools\.echo {2}ready {2}.*pid=\d+/);
    expect((await here(["events", "--since", "whenever"])).code).toBe(2);

    // Once it has told of what was, it is there for what comes.
    const follow = scratch.start("events", "-f", "--json", "--type", "ready");
    const told = () => follow.stdout.split("\n").length - 1;
    await follow.until(() => told() >= 1, "what was");
    const before = told();
    expect((await here(["restart", "tools.echo"])).code).toBe(0);
    await follow.until(() => told() > before, "what comes");
    follow.child.kill("SIGINT");
    expect(await follow.exited).toBe(0);
  });
});

describe("events that are more than one message holds", () => {
  it("are shown all the same", async () => {
    await using scratch = new Scratch();
    const file = join(scratch.path, "hub.db");
    {
      await using store = await Store.open({ file });
      const details = { lastWords: "x".repeat(20_000) };
      await Promise.all(
        Array.from({ length: 900 }, () => store.events.record({ plugin: "gone", type: "crashed", details })),
      );
    }
    scratch.env["ORCHESTRATOR_STORE_FILE"] = file;
    await scratch.serve();
    const { code, stdout } = await run(["events", "--json", "--plugin", "gone"], {
      cwd: scratch.workspace,
      env: scratch.env,
    });
    const ids = stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: number }).id);
    expect({ code, ids }).toEqual({ code: 0, ids: Array.from({ length: 900 }, (_, index) => index + 1) });
  });
});

describe("backup", () => {
  it("copies the database of the running hub, once", async () => {
    const file = join(scratch.workspace, "copy.db");
    const done = await here(["backup", "copy.db", "--json"]);
    expect(done).toMatchObject({ code: 0 });
    expect(done.json()).toEqual({ file, bytes: statSync(file).size });
    const again = await here(["backup", "copy.db"]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("exists already and is not overwritten");
    expect((await here(["backup", "none/copy.db"])).code).toBe(1);
    expect((await here(["backup", ""])).code).toBe(2);
    expect(existsSync(join(scratch.workspace, "none"))).toBe(false);
  });
});
