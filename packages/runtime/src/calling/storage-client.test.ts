import { ErrorCode, HubError, toWireError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { caller, failure, hubOf } from "../../test/support/callers.ts";
import { rawHost } from "../../test/support/raw-host.ts";

describe("storage", () => {
  const write = (value: object) => ({
    response: { $case: "storageWrite" as const, value: { success: false, newVersion: 0, error: "", ...value } },
  });

  it("tells what is not there from what cannot be read", async () => {
    const nothing = { content: new Uint8Array(), metadata: undefined, version: 0 };
    const absent = hubOf(() => ({ response: { $case: "storageRead", value: nothing } }));
    expect(await absent.storage().read("a")).toBeUndefined();
    const broken = hubOf(() => ({
      response: { $case: "storageRead", value: nothing },
      error: toWireError(new HubError(ErrorCode.Unavailable, "storage plugin is away")),
    }));
    expect((await failure(broken.storage().read("a"))).code).toBe(ErrorCode.Unavailable);
    const empty = hubOf(() => ({ response: { $case: "storageRead", value: { ...nothing, metadata: {} } } }));
    expect(await empty.storage().read("a")).toEqual({ ...nothing, metadata: {} });
  });

  it("writes, with -1 for whatever is there", async () => {
    const host = rawHost(caller, { answer: () => write({ success: true, newVersion: 4 }) });
    expect(await host.runtime.hub.storage("notes").write("a", "text", { metadata: { k: true } })).toBe(4);
    const { request } = await host.request("storageWrite");
    expect(request?.value).toMatchObject({
      path: "a",
      expectedVersion: -1,
      metadata: { k: true },
      storageType: "notes",
    });
  });

  it.each([
    ["file already exists (expected_version=0 means create new)", 0, ErrorCode.AlreadyExists],
    ["version conflict: expected 2, current 3", 2, ErrorCode.FailedPrecondition],
    ["version conflict: expected 0, current 3", 0, ErrorCode.AlreadyExists],
    ["disk on fire", -1, ErrorCode.Internal],
  ])("reads the refusal %j", async (error, expectedVersion, code) => {
    const hub = hubOf(() => write({ error }));
    const refused = await failure(hub.storage().write("a", "x", { expectedVersion }));
    expect(refused).toMatchObject({ code, message: error });
  });

  it("lists with times in milliseconds", async () => {
    const entry = { path: "a.md", size: 3, version: 1, modifiedAt: { seconds: 5, nanos: 6_000_000 } };
    const hub = hubOf(() => ({ response: { $case: "storageList", value: { entries: [entry] } } }));
    expect(await hub.storage().list("a")).toEqual([{ path: "a.md", size: 3, version: 1, modifiedAtMs: 5006 }]);
  });
});
