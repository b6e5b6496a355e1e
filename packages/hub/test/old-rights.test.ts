import { describe, expect, it } from "vitest";
import { request } from "../src/testing/index.ts";
import { Site, service } from "./supervision.ts";

/** A plugin may have connections of its own besides the one that the hub calls it on. */
describe("a connection in the name of a plugin", () => {
  const a = (needs: readonly string[]) => service("a", { needs_tools: needs });

  async function connected() {
    const site = await Site.open({ plugins: [a(["b_who"]), service("b")] });
    const connect = async () => {
      const peer = await site.test.connect("a-client", undefined, "unix");
      const value = { toolName: "b_who", callerPlugin: "", traceParent: "", provider: "", sessionId: "" };
      return {
        link: peer.link,
        ask: async () =>
          (await request(peer, { $case: "toolCall", value: { ...value, arguments: {} } })).error?.code ?? 0,
      };
    };
    return { site, connect };
  }

  it("ends when the plugin is switched off, and a new one may nothing", async () => {
    const { site, connect } = await connected();
    await using _ = site;
    const before = await connect();
    expect(await before.ask()).toBe(0);
    await site.control({ $case: "enable", value: { plugin: "a", enabled: false } });
    await before.link.closed;
    expect(await (await connect()).ask()).not.toBe(0);
  });

  it("ends when the plugin's entry changes, and a new one may what that says", async () => {
    const { site, connect } = await connected();
    await using _ = site;
    const before = await connect();
    expect(await before.ask()).toBe(0);
    site.reconfigure([a([]), service("b")]);
    await site.control({ $case: "reload", value: {} });
    await before.link.closed;
    const after = await connect();
    expect(await after.ask()).not.toBe(0);
    site.reconfigure([a(["b_*"]), service("b")]);
    await site.control({ $case: "reload", value: {} });
    await after.link.closed;
    expect(await (await connect()).ask()).toBe(0);
  });
});
