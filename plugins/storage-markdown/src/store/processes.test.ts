import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { Program } from "../../test/program.ts";
import { Workspace } from "../../test/workspace.ts";

const full = process.env["ORCHESTRATOR_SOAK"] === "full";
const INCREMENTS = full ? 3000 : 60;
const KILLS = full ? 200 : 6;

describe("several processes on one workspace", { timeout: 600_000 }, () => {
  it("lose no update", async () => {
    using workspace = new Workspace();
    await workspace.write("count.md", "0\n", 0, { count: 0 });
    await using first = new Program("increment.ts", workspace.path, "count.md", String(INCREMENTS));
    await using second = new Program("increment.ts", workspace.path, "count.md", String(INCREMENTS));
    expect(await Promise.all([first.exited(), second.exited()])).toEqual([0, 0]);
    const total = 2 * INCREMENTS;
    expect(await workspace.read("count.md")).toEqual({
      text: `${total}\n`,
      metadata: { count: total },
      version: total + 1,
    });
    expect(workspace.files()).toEqual([".orchestra-lock.version", "count.md", "count.md.version"]);
  });

  it("leave whole documents, each with its version, wherever they are killed", async () => {
    using workspace = new Workspace();
    for (let kill = 0; kill < KILLS; kill++) {
      await using program = new Program("write-forever.ts", workspace.path);
      // A different moment each time, well inside the work.
      await program.printed(5 + ((kill * 3) % 60));
      await program.kill();
      const promised = promises(program.lines);
      for (const path of ["a.md", "deep/er/b.md", "short-lived.md"]) {
        const document = await workspace.read(path);
        if (document === undefined) continue;
        expect(document.text).toBe(`${document.version}\n`.repeat(500));
        expect(document.metadata).toEqual({ version: document.version });
        expect(document.version).toBeGreaterThanOrEqual(promised.get(path) ?? 1);
      }
      expect(await workspace.read("a.md")).toBeDefined();
      expect(await workspace.list("", "*")).toEqual(expect.arrayContaining(["a.md", "deep/er/b.md"]));
      for (const path of await workspace.list("", "*")) expect(path).not.toContain("orchestra");
    }
    // What was cut off gets in nobody's way.
    const { version } = (await workspace.read("a.md")) ?? { version: 0 };
    expect(await workspace.write("a.md", "next", version)).toBe(version + 1);
  });

  it("wait for the lock, give up when told to, and get it when its holder dies", async () => {
    using workspace = new Workspace();
    await workspace.write("a.md", "1", 0);
    await using holder = new Program("hold-lock.ts", workspace.root);
    await holder.printed(1);
    const write = { path: "a.md", content: new Uint8Array(), metadata: undefined, expectedVersion: 1 };
    const reason = new Error("deadline");
    await expect(workspace.store.write(write, { signal: AbortSignal.abort(reason) })).rejects.toThrow("deadline");
    expect(await workspace.read("a.md")).toMatchObject({ text: "1", version: 1 });
    const waiting = workspace.write("a.md", "2", 1);
    const winner = await Promise.race([waiting, workspace.read("a.md").then(() => "still waiting")]);
    expect(winner).toBe("still waiting");
    await holder.kill();
    expect(await waiting).toBe(2);
    expect(workspace.files()).toEqual([".orchestra-lock.version", "a.md", "a.md.version"]);
  });

  it("do not take a standstill for a lock that somebody keeps", async () => {
    using workspace = new Workspace();
    await workspace.write("a.md", "1", 0);
    await using holder = new Program("hold-lock.ts", workspace.root);
    await holder.printed(1);
    const now = performance.now.bind(performance);
    let stoodStillMs = 0;
    let isOver = false;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + stoodStillMs);
    const looks = async (count: number) => {
      const wanted = clock.mock.calls.length + count;
      while (clock.mock.calls.length < wanted && !isOver) await nextTurn();
    };
    try {
      const outcome = workspace
        .write("a.md", "2", 1)
        .catch((error: unknown) => error)
        .finally(() => {
          isOver = true;
        });
      await looks(10);
      stoodStillMs = 3_600_000;
      await looks(10);
      await holder.kill();
      expect(await outcome).toBe(2);
    } finally {
      clock.mockRestore();
    }
  });
});

/** The newest version of each document that somebody was told of; none after its deletion. */
function promises(lines: readonly string[]): Map<string, number> {
  const versions = new Map<string, number>();
  for (const line of lines) {
    const [what, path = "", version] = line.split(" ");
    if (what === "wrote") versions.set(path, Number(version));
    else versions.delete(path);
  }
  return versions;
}
