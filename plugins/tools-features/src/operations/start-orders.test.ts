import { expect, it } from "vitest";
import { inEveryOrder, inSomeOrders, type Race } from "../../test/interleavings.ts";
import { Session } from "../../test/session.ts";

/** As many processes, each of which starts a feature of its own for a session of its own. */
async function starts(processes: number, limit: number, options: { readonly edited?: boolean } = {}): Promise<Race> {
  const first = new Session({ id: "s" });
  await first.project();
  await first.call("set_wip_limits", { project_id: "my-app", max_in_progress: limit });
  const features: string[] = [];
  for (let index = 0; index < processes; index++) features.push(await first.feature(`T${index}`));
  const one = (feature_id: string | undefined) => ({ project_id: "my-app", feature_id });
  const { storage } = first;

  const calls = features.map((id, index) => {
    const process = first.elsewhere(`s${index}`);
    return () => process.call("set_current_feature", one(id));
  });
  if (options.edited) {
    const editor = first.elsewhere("s-editor");
    calls.push(...features.map((id) => () => editor.call("add_labels", { ...one(id), labels: ["x"] })));
  }
  const check: Race["check"] = (outcomes) => {
    const refusals = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    const refusal = expect.objectContaining({ code: "wip_violation" });
    expect(refusals).toEqual(Array.from({ length: processes - limit }, () => refusal));
    const started = features.filter((id) => storage.metadata(`my-app/features/${id}.md`)["status"] === "in-progress");
    expect(started).toHaveLength(limit);
    const locks = storage.metadata("my-app/locks.json")["locks"] as { feature_id: string }[];
    expect(locks.map(({ feature_id }) => feature_id).toSorted()).toEqual(started.toSorted());
  };
  return { storage, calls, check };
}

it("lets two processes start at the same moment where there is room for both, in every order of their steps", async () => {
  expect(await inEveryOrder(await starts(2, 2))).toBeGreaterThan(1000);
});

it("lets exactly one of two start where there is room for one, in every order of their steps", async () => {
  expect(await inEveryOrder(await starts(2, 1))).toBeGreaterThan(1000);
});

it.each([1, 2, 3, 4])("lets exactly as many of four start as there is room for: %d", async (limit) => {
  await inSomeOrders(await starts(4, limit), 200);
});

it.each([1, 2])(
  "lets exactly as many of two start as there is room for, while both features are edited: %d",
  async (limit) => {
    await inSomeOrders(await starts(2, limit, { edited: true }), 200);
  },
);
