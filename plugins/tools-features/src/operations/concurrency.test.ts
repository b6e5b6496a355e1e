import { ErrorCode, HubError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { Session } from "../../test/session.ts";

/** Four processes with two clients each, on one storage whose answers take a random number of turns. */
async function crowd() {
  const first = new Session({ id: "p0-a" });
  await first.project();
  const processes = [first, ...["p1-a", "p2-a", "p3-a"].map((id) => first.elsewhere(id))];
  const clients = processes.flatMap((process, index) => [process, process.another(`p${index}-b`)]);
  return { first, clients };
}

const one = (feature_id: string) => ({ project_id: "my-app", feature_id });

describe("many clients in many processes", () => {
  it("lose no note, no label and no field of one feature", async () => {
    const { first, clients } = await crowd();
    const id = await first.feature();
    first.storage.latency = 3;
    await Promise.all(
      clients.flatMap((client, index) => [
        client.call("save_note", { ...one(id), note: `note ${index} first` }),
        client.call("add_labels", { ...one(id), labels: [`l${index}`] }),
        client.call("save_note", { ...one(id), note: `note ${index} second` }),
        index === 0 ? client.call("set_estimate", { ...one(id), estimate: "M" }) : undefined,
        index === 1 ? client.call("assign_feature", { ...one(id), assignee: "ada" }) : undefined,
        index === 2 ? client.call("update_feature", { ...one(id), title: "New" }) : undefined,
      ]),
    );
    const body = first.storage.body(`my-app/features/${id}.md`);
    for (const index of clients.keys()) {
      for (const which of ["first", "second"]) {
        expect(body.split(`\nnote ${index} ${which}\n`)).toHaveLength(2);
      }
    }
    const metadata = first.storage.metadata(`my-app/features/${id}.md`);
    expect(metadata).toMatchObject({ estimate: "M", assignee: "ada", title: "New" });
    expect((metadata["labels"] as string[]).toSorted()).toEqual([...clients.keys()].map((index) => `l${index}`));
    expect(first.storage.files.get(`my-app/features/${id}.md`)?.version).toBe(28);
  });

  it("create features under ids of their own, even from few letters", async () => {
    const { first } = await crowd();
    const few = [0, 1, 2, 3].map((index) =>
      first.elsewhere(`few-${index}`, { random: () => (Math.random() < 0.5 ? 0 : 1) }),
    );
    first.storage.latency = 3;
    const ids = await Promise.all(few.flatMap((client) => Array.from({ length: 10 }, () => client.feature("T"))));
    expect(new Set(ids).size).toBe(40);
    expect(await first.text("list_features", { project_id: "my-app" })).toContain("## Features (40)");
  });

  it("create a project once", async () => {
    const { first, clients } = await crowd();
    first.storage.latency = 3;
    const outcomes = await Promise.allSettled(clients.map((client) => client.call("create_project", { name: "One" })));
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
  });

  it("never exceed the WIP limit", async () => {
    for (let round = 0; round < 10; round++) {
      const { first, clients } = await crowd();
      await first.call("set_wip_limits", { project_id: "my-app", max_in_progress: 3 });
      const ids = await Promise.all(clients.map((_, index) => first.feature(`T${index}`)));
      first.storage.latency = 4;
      const outcomes = await Promise.allSettled(
        clients.map((client, index) => client.call("set_current_feature", one(ids[index]!))),
      );
      const statuses = ids.map((id) => first.storage.metadata(`my-app/features/${id}.md`)["status"]);
      expect(statuses.filter((status) => status === "in-progress")).toHaveLength(3);
      expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(3);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "wip_violation" });
      }
      expect(first.storage.metadata("my-app/locks.json")["locks"]).toHaveLength(3);
    }
  });

  it("start one feature once, for one session", async () => {
    for (let round = 0; round < 10; round++) {
      const { first, clients } = await crowd();
      const id = await first.feature();
      first.storage.latency = 4;
      const outcomes = await Promise.allSettled(clients.map((client) => client.call("set_current_feature", one(id))));
      expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
      const winner = clients[outcomes.findIndex((outcome) => outcome.status === "fulfilled")]!;
      first.storage.latency = 0;
      await winner.call("advance_feature", { ...one(id), evidence: "## Changes\n- src/a.go (added)" });
    }
  });

  it("keep an assignee to one feature", async () => {
    const { first, clients } = await crowd();
    const ids = await Promise.all(clients.map((_, index) => first.feature(`T${index}`)));
    for (const id of ids) await first.call("assign_feature", { ...one(id), assignee: "ada" });
    first.storage.latency = 4;
    // Without a session nobody's features are "somebody else's".
    const nobodies = [0, 1, 2, 3].map(() => first.elsewhere(""));
    const outcomes = await Promise.allSettled(
      ids.map((id, index) => nobodies[index % 4]!.call("set_current_feature", one(id))),
    );
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
  });

  it("make each step once", async () => {
    const { first } = await crowd();
    const id = await first.feature();
    await first.bring(id, "in-progress");
    first.storage.latency = 4;
    const evidence = "## Changes\n- src/a.go (added)";
    const nobodies = [0, 1, 2, 3, 4, 5].map(() => first.elsewhere(""));
    const outcomes = await Promise.allSettled(
      nobodies.map((client) => client.call("advance_feature", { ...one(id), evidence })),
    );
    // The second one meets the next gate, which this evidence does not open.
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
    expect(first.storage.body(`my-app/features/${id}.md`).split("**in-progress -> in-testing**")).toHaveLength(2);
  });
});

describe("a start that meets another process half-way", () => {
  it("counts the other's claim before its feature is written", async () => {
    const first = new Session({ id: "one" });
    await first.project();
    await first.call("set_wip_limits", { project_id: "my-app", max_in_progress: 1 });
    const [a, b] = [await first.feature("A"), await first.feature("B")];
    const reached = Promise.withResolvers<void>();
    const resume = Promise.withResolvers<void>();
    first.storage.before = async (operation, path) => {
      if (operation !== "write" || path !== `my-app/features/${a}.md`) return;
      reached.resolve();
      await resume.promise;
    };
    const starting = first.call("set_current_feature", one(a));
    await reached.promise;
    const other = first.elsewhere("two");
    const error = await other.failure("set_current_feature", one(b));
    expect([error.code, error.message]).toEqual(["wip_violation", expect.stringContaining(a)]);
    resume.resolve();
    await starting;
  });

  it("does not wait for ever for a process that died in between", async () => {
    const first = new Session({ id: "one" });
    await first.project();
    await first.call("set_wip_limits", { project_id: "my-app", max_in_progress: 1 });
    const [a, b] = [await first.feature("A"), await first.feature("B")];
    first.storage.before = (operation, path) => {
      if (operation === "write" && path === `my-app/features/${a}.md`) {
        // From here on the process is gone: it cannot take its claim back either.
        first.storage.failure = new HubError(ErrorCode.Unavailable, "gone");
      }
    };
    await first.failure("set_current_feature", one(a));
    first.storage.failure = undefined;
    const other = first.elsewhere("two");
    expect((await other.failure("set_current_feature", one(b))).code).toBe("wip_violation");
    first.clock.now += 30_000;
    await other.call("set_current_feature", one(b));
  });

  it("starts anew when the feature changes under it", async () => {
    const first = new Session({ id: "one" });
    await first.project();
    const id = await first.feature("A");
    const path = `my-app/features/${id}.md`;
    let changes = 0;
    first.storage.before = (operation, at) => {
      if (operation !== "write" || at !== path || ++changes > 3) return;
      const file = first.storage.files.get(path)!;
      file.version += 1;
      file.metadata = { ...file.metadata, labels: [`change ${changes}`] };
    };
    await first.call("set_current_feature", one(id));
    expect(first.storage.metadata(path)).toMatchObject({ status: "in-progress", labels: ["change 3"] });
  });

  it("releases its lock when somebody else finishes the feature under it", async () => {
    const first = new Session({ id: "one" });
    await first.project();
    const id = await first.feature("A");
    const path = `my-app/features/${id}.md`;
    first.storage.before = (operation, at) => {
      if (operation !== "write" || at !== path) return;
      const file = first.storage.files.get(path)!;
      file.version += 1;
      file.metadata = { ...file.metadata, status: "done" };
    };
    expect((await first.failure("set_current_feature", one(id))).code).toBe("workflow_error");
    expect(first.storage.metadata("my-app/locks.json")).toEqual({ locks: [], claims: [] });
  });
});

describe("an update that never wins", () => {
  it("gives up and says why", async () => {
    const session = new Session();
    await session.project();
    const id = await session.feature();
    const path = `my-app/features/${id}.md`;
    session.storage.before = (operation, at) => {
      if (operation === "write" && at === path) session.storage.files.get(path)!.version += 1;
    };
    const error = await session.failure("save_note", { ...one(id), note: "n" });
    expect([error.code, error.message]).toEqual(["storage_error", expect.stringContaining("others changed it")]);
  });

  it("stops when it is cancelled", async () => {
    const session = new Session();
    await session.project();
    const id = await session.feature();
    const path = `my-app/features/${id}.md`;
    const cancel = new AbortController();
    let writes = 0;
    session.storage.before = (operation, at) => {
      if (operation !== "write" || at !== path) return;
      session.storage.files.get(path)!.version += 1;
      if (++writes === 3) cancel.abort(new Error("cancelled"));
    };
    const call = session.call("save_note", { ...one(id), note: "n" }, { signal: cancel.signal });
    await expect(call).rejects.toThrow("cancelled");
    expect(writes).toBe(3);
  });
});
