import { expect, it } from "vitest";
import { request, type TestHub } from "../../packages/hub/src/testing/index.ts";
import { PluginRequest, PluginResponse } from "../../packages/protocol/src/index.ts";
import { connectGo, goPlugin, startHub, withEachGoPeer } from "./with-go.ts";

/** Events stand in no printed manifest: the hub learns of them when the plugin registers itself, some time after READY. */
async function isSubscribed(hub: TestHub): Promise<void> {
  await expect.poll(() => hub.hub.plugins[0]!.needs.events).toEqual(["interop.topic"]);
}

withEachGoPeer("events through the hub", (peer) => {
  it("reach a Go subscriber that its manifest subscribed, filtered, with the verified publisher", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await isSubscribed(hub);
    const publisher = await hub.connect("orchestrator-operator");
    const publish = async (
      eventType: string,
      payload: Record<string, unknown> | undefined,
      topic = "interop.topic",
    ) => {
      const value = { topic, eventType, payload, sourcePlugin: "liar" };
      expect((await request(publisher, { $case: "publish", value })).response).toBeUndefined();
    };
    await publish("missed", { kind: "other" });
    await publish("missed", { kind: "wanted" }, "another.topic");
    await publish("first", { kind: "wanted", n: 1 });
    await publish("second", { kind: "wanted", n: 2 });
    await using client = await connectGo(peer, hub);
    const received = async () => (await client.tool("received")).text.split("\n");
    await expect
      .poll(received)
      .toEqual([
        'interop.topic first operator {"kind":"wanted","n":1}',
        'interop.topic second operator {"kind":"wanted","n":2}',
      ]);
  });

  it("published by a Go plugin reach a subscriber of ours by its filters, under the plugin's own name", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    const events: string[] = [];
    const subscriber = await hub.connect("transport.stdio-client", (call) => {
      const { request: member, requestId } = PluginRequest.decode(call.payload);
      if (member?.$case === "publish")
        events.push(`${member.value.eventType} ${member.value.sourcePlugin} ${JSON.stringify(member.value.payload)}`);
      call.reply(PluginResponse.encode({ requestId, response: undefined, error: undefined }).finish());
    });
    const filters = { a: "b" };
    const subscribe = { $case: "subscribe" as const, value: { subscriptionId: "s", topic: "news", filters } };
    // Peers of our kind take calls on the connection that they opened, and say so.
    await request(subscriber, subscribe, { acceptsCalls: true });
    await using client = await connectGo(peer, hub, "orchestrator-operator");
    const publish = async (payload: object) => {
      const event = { requestId: "p", publish: { topic: "news", eventType: "t", payload, sourcePlugin: "liar" } };
      expect((await client.tool("hub", { request: JSON.stringify(event) })).code).toBe("");
    };
    await publish({ a: "c" });
    await publish({ a: "b" });
    await expect.poll(() => events).toEqual([`t ${peer.id} {"a":"b"}`]);
    await request(subscriber, { $case: "unsubscribe", value: { subscriptionId: "s" } });
    await publish({ a: "b" });
    expect((await client.tool("echo")).code).toBe("");
    expect(events).toHaveLength(1);
  });

  it("to a subscriber that is gone crash nobody", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await isSubscribed(hub);
    const gone = await hub.connect("transport.stdio-client");
    await request(gone, { $case: "subscribe", value: { subscriptionId: "s", topic: "interop.topic", filters: {} } });
    await gone.link.close(0);
    await using client = await connectGo(peer, hub, "orchestrator-operator");
    await client.call({
      requestId: "p",
      publish: { topic: "interop.topic", eventType: "t", payload: { kind: "wanted" } },
    });
    await expect
      .poll(async () => (await client.tool("received")).text)
      .toBe('interop.topic t operator {"kind":"wanted"}');
    expect((await client.call({ health: {} })).health.status).toBe("STATUS_HEALTHY");
  });
});
