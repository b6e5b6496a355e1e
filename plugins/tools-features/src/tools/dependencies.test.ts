import { ErrorCode, HubError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { Session } from "../../test/session.ts";

async function withThree() {
  const session = new Session();
  await session.project();
  const [a, b, c] = [await session.feature("A"), await session.feature("B"), await session.feature("C")];
  const pair = (feature_id: string, depends_on_id: string) => ({ project_id: "my-app", feature_id, depends_on_id });
  const ends = (id: string) => {
    const { depends_on = [], blocks = [] } = session.storage.metadata(`my-app/features/${id}.md`);
    return { depends_on, blocks };
  };
  return { session, a, b, c, pair, ends };
}

describe("add_dependency", () => {
  it("records both ends, once", async () => {
    const { session, a, b, pair, ends } = await withThree();
    expect(await session.text("add_dependency", pair(a, b))).toBe(`Added dependency: **${a}** depends on **${b}**`);
    expect(await session.text("add_dependency", pair(a, b))).toBe(`**${a}** already depends on **${b}**`);
    expect([ends(a), ends(b)]).toEqual([
      { depends_on: [b], blocks: [] },
      { depends_on: [], blocks: [a] },
    ]);
  });

  it("refuses a feature itself, and unknown ones at either end", async () => {
    const { session, a, pair } = await withThree();
    expect((await session.failure("add_dependency", pair(a, a))).code).toBe("validation_error");
    expect((await session.failure("add_dependency", pair(a, "FEAT-NO"))).code).toBe("not_found");
    expect((await session.failure("add_dependency", pair("FEAT-NO", a))).code).toBe("not_found");
  });

  it("refuses a cycle of any length and names it", async () => {
    const { session, a, b, c, pair, ends } = await withThree();
    await session.call("add_dependency", pair(a, b));
    await session.call("add_dependency", pair(b, c));
    const two = await session.failure("add_dependency", pair(b, a));
    expect([two.code, two.message]).toEqual(["validation_error", expect.stringContaining(`${b} -> ${a} -> ${b}`)]);
    const three = await session.failure("add_dependency", pair(c, a));
    expect(three.message).toContain(`${c} -> ${a} -> ${b} -> ${c}`);
    expect(ends(c)).toEqual({ depends_on: [], blocks: [b] });
    await session.call("add_dependency", pair(a, c));
  });

  it("refuses where it cannot see the whole chain", async () => {
    const { session, a, b, c, pair } = await withThree();
    await session.call("add_dependency", pair(b, c));
    session.storage.damage(`my-app/features/${c}.md`);
    expect((await session.failure("add_dependency", pair(a, b))).code).toBe("storage_error");
  });

  it("takes the first end back where the second cannot be written", async () => {
    const { session, a, b, pair, ends } = await withThree();
    session.storage.before = (operation, path) => {
      if (operation === "write" && path.includes(b)) throw new HubError(ErrorCode.Unavailable, "gone");
    };
    expect((await session.failure("add_dependency", pair(a, b))).code).toBe("storage_error");
    expect([ends(a), ends(b)]).toEqual([
      { depends_on: [], blocks: [] },
      { depends_on: [], blocks: [] },
    ]);
  });

  it("takes it back where the other feature is deleted meanwhile", async () => {
    const { session, a, b, pair, ends } = await withThree();
    session.storage.before = (operation, path) => {
      if (operation === "write" && path.includes(a)) session.storage.files.delete(`my-app/features/${b}.md`);
    };
    expect((await session.failure("add_dependency", pair(a, b))).code).toBe("not_found");
    expect(ends(a)).toEqual({ depends_on: [], blocks: [] });
  });

  it("mends a missing other end", async () => {
    const { session, a, b, pair, ends } = await withThree();
    const path = `my-app/features/${a}.md`;
    session.storage.place(path, { ...session.storage.metadata(path), depends_on: [b] }, "", 1);
    await session.call("add_dependency", pair(a, b));
    expect(ends(b)).toEqual({ depends_on: [], blocks: [a] });
  });

  it("refuses a cycle that two processes close from both sides at once", async () => {
    const { session, a, b, c, pair, ends } = await withThree();
    const other = session.elsewhere("session-2");
    session.storage.latency = 4;
    for (let round = 0; round < 20; round++) {
      await Promise.allSettled([
        session.call("add_dependency", pair(a, b)),
        other.call("add_dependency", pair(b, c)),
        session.elsewhere("session-3").call("add_dependency", pair(c, a)),
      ]);
      const edges = [a, b, c].map((id) => ends(id).depends_on as string[]);
      expect(edges.flat().length).toBeLessThan(3);
      const blocks = [a, b, c].flatMap((id) => (ends(id).blocks as string[]).map((from) => `${from} ${id}`));
      const depends = [a, b, c].flatMap((id) => (ends(id).depends_on as string[]).map((to) => `${id} ${to}`));
      expect(blocks.sort()).toEqual(depends.sort());
      for (const [one, two] of [
        [a, b],
        [b, c],
        [c, a],
      ] as const)
        await session.call("remove_dependency", pair(one, two));
    }
  });
});

describe("remove_dependency", () => {
  it("removes both ends, also where one or both are missing", async () => {
    const { session, a, b, pair, ends } = await withThree();
    await session.call("add_dependency", pair(a, b));
    const text = await session.text("remove_dependency", pair(a, b));
    expect(text).toBe(`Removed dependency: **${a}** no longer depends on **${b}**`);
    expect([ends(a).depends_on, ends(b).blocks]).toEqual([[], []]);
    await session.call("remove_dependency", pair(a, b));
    const path = `my-app/features/${a}.md`;
    session.storage.place(path, { ...session.storage.metadata(path), depends_on: ["FEAT-GONE"] }, "", 5);
    await session.call("remove_dependency", pair(a, "FEAT-GONE"));
    expect(ends(a).depends_on).toEqual([]);
    expect((await session.failure("remove_dependency", pair("FEAT-NO", a))).code).toBe("not_found");
  });
});

describe("get_dependency_graph and get_blocked_features", () => {
  it("show what depends on what, and what waits", async () => {
    const { session, a, b, c, pair } = await withThree();
    const project = { project_id: "my-app" };
    expect(await session.text("get_dependency_graph", project)).toBe(
      "## Dependency Graph (3 features)\n\nNo dependencies.",
    );
    expect(await session.text("get_blocked_features", project)).toBe(
      "## Blocked Features\n\nNo blocked features found.",
    );
    await session.call("add_dependency", pair(a, b));
    await session.call("add_dependency", pair(a, c));
    expect(await session.text("get_dependency_graph", project)).toBe(
      `## Dependency Graph (3 features)\n\n- **${a}** depends on **${b}**\n- **${a}** depends on **${c}**`,
    );
    await session.bring(b, "done");
    expect(await session.text("get_blocked_features", project)).toBe(
      `## Blocked Features (1)\n\n- **${a}** (A) blocked by: ${c}`,
    );
    await session.bring(c, "done");
    expect(await session.text("get_blocked_features", project)).toContain("No blocked features");
  });

  it("count a dependency that does not exist as one that is not done", async () => {
    const { session, a } = await withThree();
    const path = `my-app/features/${a}.md`;
    session.storage.place(path, { ...session.storage.metadata(path), depends_on: ["FEAT-GONE"] }, "", 5);
    expect(await session.text("get_blocked_features", { project_id: "my-app" })).toContain("blocked by: FEAT-GONE");
  });
});
