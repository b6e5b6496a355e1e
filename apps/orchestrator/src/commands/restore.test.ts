import { existsSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Scratch } from "../../test/hub.ts";
import { run } from "../../test/run.ts";

it("goes back to a copy, keeps what was there, and is refused while the hub runs", async () => {
  await using scratch = new Scratch();
  scratch.env["ORCHESTRATOR_STATE_DIR"] = join(scratch.path, "state");
  const here = (...args: string[]) => run(args, { cwd: scratch.workspace, env: scratch.env, home: scratch.path });
  const kv = (...args: string[]) => here("kv", ...args, "--namespace", "tools.echo");

  const first = await scratch.serve();
  await kv("set", "mode", "then");
  expect((await here("backup", "copy.db")).code).toBe(0);
  await kv("set", "mode", "now");
  expect((await here("restore", "copy.db", "--dry-run")).stdout).toMatch(
    /^Nothing was changed\.\nholds +1 entry, \d+ event/,
  );
  const refused = await here("restore", "copy.db");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("Stop the hub first: orchestrator stop");
  await here("stop");
  expect(await first.exited).toBe(0);

  const done = await here("restore", "copy.db", "--json");
  expect(done).toMatchObject({ code: 0, stderr: "" });
  const { file, previous } = done.json();
  expect(done.json()).toMatchObject({ backup: join(scratch.workspace, "copy.db"), entries: 1, dryRun: false });
  expect(previous).toMatch(/\.before-\d{8}T\d{6}Z$/);
  const second = await scratch.serve();
  expect((await kv("get", "mode")).stdout).toBe("then");
  await here("stop");
  await second.exited;

  expect((await here("restore", previous)).stdout).toContain(file);
  await scratch.serve();
  expect((await kv("get", "mode")).stdout).toBe("now");
});

it("says what is wrong with the copy, and changes nothing", async () => {
  await using scratch = new Scratch();
  scratch.env["ORCHESTRATOR_STATE_DIR"] = join(scratch.path, "state");
  const here = (...args: string[]) => run(args, { cwd: scratch.workspace, env: scratch.env, home: scratch.path });
  const program = await scratch.serve();
  await here("backup", "copy.db");
  await here("stop");
  await program.exited;
  const elsewhere = { ...scratch.env, ORCHESTRATOR_STATE_DIR: join(scratch.path, "elsewhere") };
  const misled = await run(["restore", "copy.db"], { cwd: scratch.workspace, env: elsewhere });
  expect(misled.stderr).toMatch(/There was no database at ".*elsewhere.*is this the workspace that you meant/);
  truncateSync(join(scratch.workspace, "copy.db"), 10_000);
  rmSync(join(scratch.path, "state"), { recursive: true });
  const damaged = await here("restore", "copy.db");
  expect(damaged.code).toBe(1);
  expect(damaged.stderr).toMatch(/Backup ".*copy\.db" is damaged .*Nothing was restored/);
  expect(await here("restore", "none.db", "--json")).toMatchObject({ code: 3 });
  expect((await here("restore", "")).code).toBe(2);
  expect((await here("restore")).code).toBe(2);
  expect(existsSync(join(scratch.path, "state", "orchestra.db"))).toBe(false);
});
