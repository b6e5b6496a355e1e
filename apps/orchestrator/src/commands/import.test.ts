import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Store } from "@orchestrator/store";
import { describe, expect, it } from "vitest";
import { run, tempDirectory } from "../../test/run.ts";

const INSTANCE = "7d5f1c1e-2b5c-4a1e-9d0f-3a6b8c2d4e5f";
const HOUR = 3_600_000;

/** The working directory of an existing core, as such a core leaves it. */
function existingCore({ database = true } = {}): string {
  const directory = tempDirectory();
  mkdirSync(join(directory, "plugins", ".metadata"), { recursive: true });
  for (const id of ["hello", "quiet"])
    program(directory, id, { id, name: id, version: "0.1.0", icon: "", route: `/${id}` });
  program(directory, "broken", { id: "no good id", name: "x", version: "1", icon: "", route: "/x" });
  writeFileSync(join(directory, "plugins", ".metadata", "config.json"), '{"plugins":{"hello":true,"quiet":false}}\n');
  if (database) makeDatabase(join(directory, "steering.db"));
  return directory;
}

function program(directory: string, name: string, metadata: object): void {
  const file = join(directory, "plugins", `${name}.binary`);
  writeFileSync(file, `#!/bin/sh\n[ "$1" = --metadata ] && echo '${JSON.stringify(metadata)}'\n`);
  chmodSync(file, 0o755);
}

function makeDatabase(file: string): void {
  const db = new DatabaseSync(file);
  db.exec(`
    CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE plugin_kv (plugin_id TEXT, key TEXT, value TEXT, PRIMARY KEY (plugin_id, key));
    CREATE TABLE plugin_events (id INTEGER PRIMARY KEY AUTOINCREMENT, plugin_id TEXT, event_type TEXT, timestamp TEXT, details TEXT);
    INSERT INTO settings VALUES ('instance_id', '${INSTANCE}'), ('scripts_dir', '/x');
    INSERT INTO plugin_kv VALUES ('hello', 'counter', '7'), ('hello', 'name', 'grüß'), ('quiet', 'counter', '1');
    INSERT INTO plugin_kv VALUES ('hello', '', 'no key'), ('../x', 'a', 'b');
  `);
  const event = db.prepare("INSERT INTO plugin_events (plugin_id, event_type, timestamp, details) VALUES (?, ?, ?, ?)");
  const ago = (hours: number) => new Date(Date.now() - hours * HOUR).toISOString().replace("Z", "+00:00");
  event.run("hello", "started", ago(2), '{"pid":7}');
  event.run("hello", "killed", ago(1), null);
  event.run("hello", "started", ago(24 * 30), "{}");
  event.run("hello", "started", "yesterday", "{}");
  db.close();
}

/** A workspace that is nobody's yet. */
function workspace() {
  const directory = tempDirectory();
  const state = join(directory, "state");
  const env = {
    ORCHESTRATOR_STATE_DIR: state,
    ORCHESTRATOR_CERTS_DIR: join(directory, "certs"),
    PATH: process.env["PATH"] ?? "",
  };
  const command = (...args: string[]) =>
    run(["import", "toru", ...args, "--json"], { cwd: directory, home: directory, env });
  return { directory, state, command, env };
}

describe("import toru", () => {
  it("takes over entries, events, id and plugins, once", async () => {
    const core = existingCore();
    const { command, directory, state } = workspace();
    const done = await command(core);
    expect(done).toMatchObject({ code: 0 });
    const hello = join(core, "plugins", "hello.binary");
    const quiet = join(core, "plugins", "quiet.binary");
    expect(done.json()).toMatchObject({
      entries: 3,
      events: 2,
      conflicts: 0,
      tooOld: 1,
      instanceId: "taken",
      plugins: [
        { id: "hello", file: hello, enabled: true, added: true },
        { id: "quiet", file: quiet, enabled: false, added: true },
      ],
    });
    expect(done.json().leftOut).toHaveLength(4);
    for (const what of ["a key has 1 to", "no possible id", '"yesterday"', "broken.binary"]) {
      expect(done.stderr).toContain(what);
    }
    expect(readFileSync(join(state, "instance-id"), "utf8")).toBe(`${INSTANCE}\n`);
    const config = readFileSync(join(directory, "plugins.yaml"), "utf8");
    expect(config).toBe(
      `plugins:\n  - id: hello\n    binary: ${hello}\n    dialect: unix-json\n` +
        `  - id: quiet\n    binary: ${quiet}\n    dialect: unix-json\n    enabled: false\n`,
    );
    {
      await using store = await Store.open({ file: join(state, "orchestra.db") });
      expect(store.kv.list("hello").entries.map(({ key, value }) => [key, Buffer.from(value).toString()])).toEqual([
        ["counter", "7"],
        ["name", "grüß"],
      ]);
      expect(store.events.query().map(({ plugin, type, details }) => [plugin, type, details])).toEqual([
        ["hello", "started", { pid: 7 }],
        ["hello", "killed", {}],
      ]);
    }
    const again = (await command(core)).json();
    expect(again).toMatchObject({ entries: 0, events: 0, conflicts: 0, instanceId: "same" });
    expect(again.plugins.map(({ added }: { added: boolean }) => added)).toEqual([false, false]);
    expect(readFileSync(join(directory, "plugins.yaml"), "utf8")).toBe(config);
  });

  it("writes nothing in a dry run", async () => {
    const core = existingCore();
    const { command, directory, state } = workspace();
    const done = await command(core, "--dry-run");
    expect(done.json()).toMatchObject({ dryRun: true, entries: 3, events: 2, instanceId: "taken" });
    expect(existsSync(join(directory, "plugins.yaml"))).toBe(false);
    expect(existsSync(state)).toBe(false);
  });

  it("leaves what is there, unless told otherwise", async () => {
    const core = existingCore();
    const { command, directory, state } = workspace();
    const text = `# ours\nplugins:\n  - id: hello # this one\n    binary: /bin/true\nstate_dir: ${state}\n`;
    writeFileSync(join(directory, "plugins.yaml"), text);
    mkdirSync(state);
    writeFileSync(join(state, "instance-id"), "11111111-1111-4111-8111-111111111111\n");
    {
      await using store = await Store.open({ file: join(state, "orchestra.db") });
      await store.kv.set("hello", "counter", Buffer.from("8"));
    }
    expect((await command(core)).json()).toMatchObject({ entries: 2, conflicts: 1, instanceId: "kept" });
    const config = readFileSync(join(directory, "plugins.yaml"), "utf8");
    expect(config).toContain("# ours\nplugins:\n  - id: hello # this one\n    binary: /bin/true\n  - id: quiet\n");
    expect((await command(core, "--overwrite")).json()).toMatchObject({
      entries: 1,
      conflicts: 0,
      instanceId: "taken",
    });
    await using store = await Store.open({ file: join(state, "orchestra.db") });
    expect(Buffer.from(store.kv.get("hello", "counter")!.value).toString()).toBe("7");
  });

  it("takes flags that are missing or damaged as enabled, and a folder without a database", async () => {
    const core = existingCore({ database: false });
    writeFileSync(join(core, "plugins", ".metadata", "config.json"), "{oops");
    const { command } = workspace();
    const done = (await command(core)).json();
    expect(done.plugins.map(({ enabled }: { enabled: boolean }) => enabled)).toEqual([true, true]);
    expect(done).toMatchObject({ entries: 0, events: 0, instanceId: "none" });
    expect(done.database).toBeUndefined();
  });

  it("refuses what is something else, and changes nothing then", async () => {
    const { command, directory, state } = workspace();
    expect((await command(tempDirectory())).code).toBe(2);
    expect((await command(join(directory, "nowhere"))).code).toBe(2);
    const core = existingCore({ database: false });
    expect((await command(core, "--db", "none.db")).code).toBe(2);
    writeFileSync(join(core, "steering.db"), "This is no database. ".repeat(100));
    const damaged = await command(core);
    expect(damaged.code).toBe(1);
    expect(damaged.json().error.message).toContain("not a database");
    const other = join(core, "other.db");
    new DatabaseSync(other).exec("CREATE TABLE plugin_kv (something TEXT)");
    const foreign = await command(core, "--db", other);
    expect(foreign.json().error.message).toContain("neither a table plugin_kv nor");
    expect(existsSync(join(directory, "plugins.yaml"))).toBe(false);
    expect(existsSync(state)).toBe(false);
  });

  it("leaves out what is no text, in a line each, and takes the rest", async () => {
    const core = existingCore();
    const db = new DatabaseSync(join(core, "steering.db"));
    db.exec(`DROP TABLE plugin_kv; CREATE TABLE plugin_kv (plugin_id, key, value);
      INSERT INTO plugin_kv VALUES ('hello', 'number', 9223372036854775807), ('hello', 'bytes', x'00'), ('hello', 'a', 'b')`);
    db.prepare("INSERT INTO plugin_kv VALUES ('hello', ?, 'x')").run(`\u001b[31m${"k".repeat(1_000_000)}`);
    db.close();
    const { command } = workspace();
    const done = await command(core);
    expect(done.json()).toMatchObject({ entries: 1 });
    const { leftOut } = done.json() as { leftOut: string[] };
    expect(leftOut.filter((line) => line.startsWith("entry"))).toHaveLength(3);
    expect(Math.max(...leftOut.map((line) => line.length))).toBeLessThan(300);
    expect(done.stderr).not.toContain("\u001b");
  });

  it("refuses while a hub has the database", async () => {
    const core = existingCore();
    const { command, directory, state } = workspace();
    await using _hub = await Store.open({ file: join(state, "orchestra.db") });
    const refused = await command(core);
    expect(refused.code).toBe(1);
    expect(refused.json().error).toMatchObject({
      code: "ALREADY_EXISTS",
      hint: expect.stringContaining("Stop the hub"),
    });
    expect(existsSync(join(directory, "plugins.yaml"))).toBe(false);
    expect(existsSync(join(state, "instance-id"))).toBe(false);
  });
});
