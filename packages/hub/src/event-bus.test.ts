import { PluginRequest, PluginResponse, type Publish } from "@orchestrator/protocol";
import { LinkPeer, memoryLinkPair } from "@orchestrator/transport";
import { afterEach, describe, expect, it } from "vitest";
import { DeadlineWheel } from "./deadline-wheel.ts";
import { EventBus, type SubscribeOptions } from "./event-bus.ts";
import { Port } from "./port.ts";

const wheels: DeadlineWheel[] = [];
afterEach(() => {
  for (const wheel of wheels.splice(0)) wheel.close();
});

function setUp() {
  const wheel = new DeadlineWheel();
  wheels.push(wheel);
  const drops: string[] = [];
  const bus = new EventBus(wheel, (subscriber, topic, why) => drops.push(`${subscriber} ${topic} ${why}`));
  const heard: { id: string; n: unknown }[] = [];
  const requests: PluginRequest[] = [];
  const owner = { request: () => {}, portClosed: () => {}, portFailed: () => {} };
  const subscriber = new LinkPeer((call) => {
    const decoded = PluginRequest.decode(call.payload);
    const { requestId, request } = decoded;
    requests.push(decoded);
    if (request?.$case === "publish") heard.push({ id: request.value.subscriptionId, n: request.value.payload?.["n"] });
    call.reply(PluginResponse.encode({ requestId, response: undefined, error: undefined }).finish());
  });
  let port: Port | undefined;
  memoryLinkPair({
    accept: [
      (link) => {
        port = new Port(link, { id: "s", kind: "plugin" }, undefined, owner);
        return port;
      },
      subscriber.accept,
    ],
  });
  const key = {};
  const subscribe = (id: string, topic: string, more: Partial<SubscribeOptions> = {}) =>
    bus.subscribe(key, { name: "s", route: () => port, id, topic, ...more });
  return { bus, key, drops, heard, requests, subscribe };
}

const event = (topic: string, n: number, more: Record<string, unknown> = {}): Publish => ({
  topic,
  eventType: "changed",
  payload: { n, ...more },
  sourcePlugin: "p",
  subscriptionId: "",
  timestamp: { seconds: 1_700_000_000, nanos: 5_000_000 },
});

const large = (kibibytes: number) => event("t", 0, { text: "x".repeat(kibibytes * 1024) });

describe("EventBus", () => {
  it("delivers in order, to every subscription that matches", async () => {
    const { bus, heard, requests, subscribe } = setUp();
    subscribe("all", "t");
    subscribe("red", "t", { filters: { colour: "red" } });
    for (let n = 0; n < 50; n += 1) bus.publish(event("t", n, n % 10 === 0 ? { colour: "red" } : { colour: 1 }));
    bus.publish(event("other", 99));
    await expect.poll(() => heard.length).toBe(55);
    expect(heard.filter(({ id }) => id === "all").map(({ n }) => n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(heard.filter(({ id }) => id === "red").map(({ n }) => n)).toEqual([0, 10, 20, 30, 40]);
    expect(bus.counts).toEqual({ delivered: 55, dropped: 0 });
    const { requestId, request, context } = requests[1]!;
    expect(request).toMatchObject({
      $case: "publish",
      value: { ...event("t", 0, { colour: "red" }), subscriptionId: "red" },
    });
    expect(requestId).not.toBe(requests[0]!.requestId);
    expect(context).toMatchObject({ timeoutMs: 5_000, caller: "p" });
  });

  it("replaces a subscription of the same id and forgets what was unsubscribed or whose owner left", async () => {
    const { bus, key, heard, subscribe } = setUp();
    subscribe("1", "a");
    subscribe("1", "b");
    bus.publish(event("a", 1));
    bus.publish(event("b", 2));
    await expect.poll(() => heard.length).toBe(1);
    bus.unsubscribe(key, "1");
    bus.unsubscribe(key, "never there");
    expect(bus.hasSubscribers("b")).toBe(false);
    subscribe("2", "a");
    bus.removeSubscriber(key);
    bus.publish(event("a", 3));
    expect(bus.hasSubscribers("a")).toBe(false);
    expect(heard).toEqual([{ id: "1", n: 2 }]);
  });

  it("takes a topic with a star for a pattern only where it is told to", async () => {
    const { bus, key, heard, subscribe } = setUp();
    subscribe("literal", "feature.*");
    subscribe("pattern", "feature.*", { isPattern: true });
    expect(bus.hasSubscribers("feature.created")).toBe(true);
    expect(bus.hasSubscribers("note.created")).toBe(false);
    bus.publish(event("feature.created", 1));
    bus.publish(event("note.created", 2));
    await expect.poll(() => heard).toEqual([{ id: "pattern", n: 1 }]);
    bus.removeSubscriptions(key, (id) => id === "pattern");
    expect(bus.hasSubscribers("feature.created")).toBe(false);
    expect(bus.hasSubscribers("feature.*")).toBe(true);
  });

  it("asks for every event whether the subscriber may hear of it", async () => {
    const { bus, heard, subscribe } = setUp();
    let mayHear = true;
    subscribe("1", "*", { isPattern: true, allows: (topic) => mayHear && topic !== "secret" });
    bus.publish(event("secret", 1));
    bus.publish(event("t", 2));
    mayHear = false;
    bus.publish(event("t", 3));
    await expect.poll(() => bus.counts.delivered).toBe(1);
    expect(heard).toEqual([{ id: "1", n: 2 }]);
  });

  it("counts what a subscriber that is away or too slow has lost", async () => {
    const { bus, drops, subscribe } = setUp();
    bus.subscribe({}, { name: "gone", route: () => undefined, id: "1", topic: "away" });
    bus.publish(event("away", 0));
    await expect.poll(() => bus.counts.dropped).toBe(1);
    expect(drops).toEqual(["gone away it is not connected"]);
    // Nothing is delivered before this turn ends: one event is on its way, 1 024 wait, the rest is lost.
    subscribe("1", "t");
    for (let n = 0; n < 1_100; n += 1) bus.publish(event("t", n));
    expect(bus.counts.dropped).toBe(1 + 75);
    expect(drops.at(-1)).toContain("queue of 1024");
    await expect.poll(() => bus.counts.delivered).toBe(1_025);
  });

  it("holds no more than 4 MiB for one subscriber", async () => {
    const { bus, drops, subscribe } = setUp();
    subscribe("1", "t");
    // One is on its way, four of nearly 1 MiB wait.
    for (let n = 0; n < 20; n += 1) bus.publish(large(1_000));
    expect(bus.counts.dropped).toBe(15);
    expect(drops.at(-1)).toContain("queue of 4194304 bytes");
    await expect.poll(() => bus.counts.delivered).toBe(5);
    bus.publish(large(1_000));
    await expect.poll(() => bus.counts.delivered).toBe(6);
  });

  it("forgets what waits for a subscriber that leaves, and counts it", async () => {
    const { bus, key, drops, subscribe } = setUp();
    subscribe("1", "t");
    for (let n = 0; n < 10; n += 1) bus.publish(event("t", n));
    bus.removeSubscriber(key);
    expect(bus.counts.dropped).toBe(9);
    expect(drops).toEqual(["s t it is gone, and 9 events waited for it"]);
    await expect.poll(() => bus.counts.delivered).toBe(1);
  });

  it("refuses an event of more than 1 MiB", () => {
    const { bus, subscribe } = setUp();
    subscribe("1", "t");
    expect(() => bus.publish(large(1_025))).toThrow("the limit is 1048576");
    expect(bus.counts).toEqual({ delivered: 0, dropped: 0 });
  });

  it("refuses nameless subscriptions, long filters, and more than 1 024 of one peer", () => {
    const { subscribe } = setUp();
    expect(() => subscribe("", "t")).toThrow("must not be empty");
    expect(() => subscribe("1", "t", { filters: { a: "x".repeat(5_000) } })).toThrow("Cannot subscribe: 1 filters");
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`f${n}`, ""]));
    expect(() => subscribe("1", "t", { filters: many })).toThrow("33 filters");
    for (let n = 0; n < 1_024; n += 1) subscribe(String(n), "t");
    expect(() => subscribe("one too many", "t")).toThrow("1024 subscriptions");
  });
});
