import { PluginRequest, PluginResponse, type Publish } from "@orchestrator/protocol";
import { LinkPeer, memoryLinkPair } from "@orchestrator/transport";
import { afterEach, describe, expect, it } from "vitest";
import { DeadlineWheel } from "./deadline-wheel.ts";
import { EventBus } from "./event-bus.ts";
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
  const owner = { request: () => {}, portClosed: () => {}, portFailed: () => {} };
  const subscriber = new LinkPeer((call) => {
    const { requestId, request } = PluginRequest.decode(call.payload);
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
  return { bus, drops, heard, port: () => port };
}

const event = (topic: string, n: number, more: Record<string, unknown> = {}): Publish => ({
  topic,
  eventType: "",
  payload: { n, ...more },
  sourcePlugin: "p",
  subscriptionId: "",
  timestamp: undefined,
});

describe("EventBus", () => {
  it("delivers in order, to every subscription that matches", async () => {
    const { bus, heard, port } = setUp();
    bus.subscribe("s", port, "all", "t", {});
    bus.subscribe("s", port, "red", "t", { colour: "red" });
    for (let n = 0; n < 50; n += 1) bus.publish(event("t", n, n % 10 === 0 ? { colour: "red" } : { colour: 1 }));
    bus.publish(event("other", 99));
    await expect.poll(() => heard.length).toBe(55);
    expect(heard.filter(({ id }) => id === "all").map(({ n }) => n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(heard.filter(({ id }) => id === "red").map(({ n }) => n)).toEqual([0, 10, 20, 30, 40]);
    expect(bus.counts).toEqual({ delivered: 55, dropped: 0 });
  });

  it("replaces a subscription of the same id and forgets what was unsubscribed or whose owner left", async () => {
    const { bus, heard, port } = setUp();
    bus.subscribe("s", port, "1", "a", {});
    bus.subscribe("s", port, "1", "b", {});
    bus.publish(event("a", 1));
    bus.publish(event("b", 2));
    await expect.poll(() => heard.length).toBe(1);
    bus.unsubscribe("s", "1");
    bus.unsubscribe("s", "never there");
    expect(bus.hasSubscribers("b")).toBe(false);
    bus.subscribe("s", port, "2", "a", {});
    bus.removeSubscriber("s");
    bus.publish(event("a", 3));
    expect(bus.hasSubscribers("a")).toBe(false);
    expect(heard).toEqual([{ id: "1", n: 2 }]);
  });

  it("counts what a subscriber that is away or too slow has lost", async () => {
    const { bus, drops, port } = setUp();
    bus.subscribe("gone", () => undefined, "1", "away", {});
    bus.publish(event("away", 0));
    await expect.poll(() => bus.counts.dropped).toBe(1);
    expect(drops).toEqual(["gone away it is not connected"]);
    // Nothing is delivered before this turn ends: one event is on its way, 1 024 wait, the rest is lost.
    bus.subscribe("s", port, "1", "t", {});
    for (let n = 0; n < 1_100; n += 1) bus.publish(event("t", n));
    expect(bus.counts.dropped).toBe(1 + 75);
    expect(drops.at(-1)).toContain("queue of 1024");
    await expect.poll(() => bus.counts.delivered).toBe(1_025);
  });

  it("refuses nameless subscriptions and more than 1 024 of one peer", () => {
    const { bus, port } = setUp();
    expect(() => bus.subscribe("s", port, "", "t", {})).toThrow("must not be empty");
    for (let n = 0; n < 1_024; n += 1) bus.subscribe("s", port, String(n), "t", {});
    expect(() => bus.subscribe("s", port, "one too many", "t", {})).toThrow("1024 subscriptions");
  });
});
