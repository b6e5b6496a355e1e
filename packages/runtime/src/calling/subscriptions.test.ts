import { ErrorCode, HubError, toWireError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { caller, failure } from "../../test/support/callers.ts";
import { rawHost } from "../../test/support/raw-host.ts";

describe("subscribe", () => {
  const event = (value: object) =>
    ({
      $case: "publish",
      value: {
        topic: "news",
        eventType: "made",
        payload: { k: "v" },
        sourcePlugin: "p",
        subscriptionId: "",
        timestamp: undefined,
        ...value,
      },
    }) as const;

  it("hears what matches topic and filters, until it is ended", async () => {
    const host = rawHost(caller);
    const heard: unknown[] = [];
    const unsubscribe = await host.runtime.hub.subscribe("news", ({ type }) => heard.push(type), { k: "v" });
    const { request } = await host.request("subscribe");
    expect(request?.value).toMatchObject({ topic: "news", filters: { k: "v" } });
    expect((await host.ask(event({ eventType: "one" }))).response).toBeUndefined();
    await host.ask(event({ eventType: "other topic", topic: "weather" }));
    await host.ask(event({ eventType: "other value", payload: { k: "w" } }));
    await host.ask(event({ eventType: "no payload", payload: undefined }));
    await unsubscribe();
    expect((await host.request("unsubscribe")).request?.value).toEqual(
      expect.objectContaining({ subscriptionId: request?.$case === "subscribe" && request.value.subscriptionId }),
    );
    await host.ask(event({ eventType: "too late" }));
    expect(heard).toEqual(["one"]);
  });

  it("hears only its own deliveries from a hub that names the subscription", async () => {
    const host = rawHost(caller);
    const heard: string[] = [];
    await host.runtime.hub.subscribe("news", () => heard.push("first"));
    await host.runtime.hub.subscribe("news", () => heard.push("second"));
    const { request } = await host.request(
      "subscribe",
      host.asked.findIndex((r) => r.request?.$case === "subscribe") + 1,
    );
    const subscriptionId = request?.$case === "subscribe" ? request.value.subscriptionId : "";
    await host.ask(event({ subscriptionId }));
    expect(heard).toEqual(["second"]);
    await host.ask(event({ subscriptionId: "somebody else's" }));
    expect(heard).toEqual(["second"]);
  });

  it("fails, and forgets the listener, where the hub refuses", async () => {
    const sent = toWireError(new HubError(ErrorCode.PermissionDenied, "rule 7"));
    const host = rawHost(caller, {
      answer: ({ request }) => (request?.$case === "subscribe" ? { error: sent } : undefined),
    });
    const heard: unknown[] = [];
    expect((await failure(host.runtime.hub.subscribe("news", () => heard.push(1)))).message).toBe("rule 7");
    await host.ask(event({}));
    expect(heard).toEqual([]);
  });

  it("survives listeners that throw or reject", async () => {
    const host = rawHost(caller);
    await host.runtime.hub.subscribe("news", () => {
      throw new Error("sync");
    });
    await host.runtime.hub.subscribe("news", (async () => {
      throw new Error("async");
    }) as () => void);
    await host.ask(event({}));
    await host.ask({ $case: "health", value: {} });
    expect(host.logs.map((line) => line.slice(0, line.indexOf(" {")))).toEqual([
      'error: A listener of "news" failed: sync',
      'error: A listener of "news" failed: async',
    ]);
  });
});
