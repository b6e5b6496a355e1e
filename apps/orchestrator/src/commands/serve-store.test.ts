import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Store } from "@orchestrator/store";
import { describe, expect, it } from "vitest";
import { Scratch } from "../../test/hub.ts";

describe("serve, with a database that cannot be opened", () => {
  const start = (scratch: Scratch, file: string) => {
    scratch.env["ORCHESTRATOR_STORE_FILE"] = file;
    return scratch.start("serve", "--listen-addr", "localhost:0");
  };

  it("says so, names the file, leaves it alone and ends with 1", async () => {
    await using scratch = new Scratch();
    const file = join(scratch.path, "hub.db");
    writeFileSync(file, "no database ".repeat(500));
    const program = start(scratch, file);
    expect(await program.exited).toBe(1);
    expect(program.stderr).toContain(`The hub's database cannot be opened. Database "${file}" is damaged`);
    expect(readFileSync(file, "utf8")).toBe("no database ".repeat(500));
    expect(scratch.hubPid()).toBeUndefined();
  });

  it("says who has it", async () => {
    await using scratch = new Scratch();
    const file = join(scratch.path, "hub.db");
    await using _other = await Store.open({ file });
    const program = start(scratch, file);
    expect(await program.exited).toBe(1);
    expect(program.stderr).toContain(`Database "${file}" is in use by process ${process.pid}`);
  });
});
