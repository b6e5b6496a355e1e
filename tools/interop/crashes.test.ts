import { expect, it } from "vitest";
import type { TestHub } from "../../packages/hub/src/testing/index.ts";
import { processesOf } from "../../packages/testkit/src/processes.ts";
import { GO_PEERS, type GoPeer } from "./build.ts";
import { connectGo, goPlugin, startHub, withEachGoPeer } from "./with-go.ts";

/** Longer than any test: what is answered before that was answered because the plugin ended, not because it was waited for. */
const FOR_EVER = { ms: 600_000 };
const patient = { config: { default_timeout_ms: 600_000 } };

/** The hub's own processes of this peer, and not the client's, which stands in the same directory. */
function pluginProcesses(hub: TestHub, peer: GoPeer): number[] {
  const ofHub = processesOf(hub.directory);
  return processesOf(peer.plugin).filter((pid) => ofHub.includes(pid));
}

withEachGoPeer("Go plugins in trouble", (peer) => {
  it("killed in the middle of a call: the caller hears of it at once, the plugin comes back", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)], ...patient });
    await using client = await connectGo(peer, hub);
    const plugin = hub.hub.plugins[0]!;
    const [pid] = pluginProcesses(hub, peer);
    const waiting = client.tool("wait", FOR_EVER);
    await expect.poll(() => hub.hub.status().callsInFlight).toBe(1);
    process.kill(pid!, "SIGKILL");
    expect(await waiting).toMatchObject({ code: "routing_error", message: expect.stringContaining(peer.id) });
    await expect.poll(() => plugin.supervised.state.name).toBe("ready");
    await expect.poll(async () => (await client.tool("echo")).code).toBe("");
    expect(pluginProcesses(hub, peer)).not.toContain(pid);
  });

  it("that ends itself in a call: the same", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await using client = await connectGo(peer, hub);
    expect(await client.tool("exit", { code: 7 })).toMatchObject({ code: "routing_error" });
    await expect.poll(async () => (await client.tool("echo")).code).toBe("");
  });

  it("that refuses to boot is reported with its own words, and nobody else waits for it", async () => {
    await using hub = await startHub({
      plugins: [goPlugin(peer, { config: { refuse: "no licence" } })],
      restart: { maxCrashes: 1 },
    });
    await using client = await connectGo(peer, hub);
    await expect.poll(() => hub.hub.plugins[0]!.supervised.state.name).toBe("failed");
    expect(JSON.stringify(hub.hub.status().problems)).toContain("no licence");
    expect(await client.tool("echo")).toMatchObject({ code: expect.stringMatching(/tool_not_found|routing_error/) });
    expect(pluginProcesses(hub, peer)).toEqual([]);
  });

  it("that logs a mebibyte after READY goes on", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await using client = await connectGo(peer, hub);
    expect((await client.tool("log", { bytes: 1024 * 1024 })).text).toBe("logged");
    expect((await client.tool("echo")).code).toBe("");
  });

  it("that answers with 17 MiB fails that call alone", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)], ...patient });
    await using client = await connectGo(peer, hub);
    expect((await client.tool("big", { bytes: 15 * 1024 * 1024 })).text).toHaveLength(15 * 1024 * 1024);
    const { text, code } = await client.tool("big", { bytes: 17 * 1024 * 1024 });
    expect(text).toBe("");
    expect(code).not.toBe("");
    expect((await client.tool("echo")).code).toBe("");
  });

  it("the hub stops while a call is under way, does not wait for it, and leaves no process", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)], ...patient });
    await using client = await connectGo(peer, hub);
    const waiting = client.tool("wait", FOR_EVER).catch((error: Error) => ({ code: error.message }));
    await expect.poll(() => hub.hub.status().callsInFlight).toBe(1);
    await hub.hub.stop("test");
    expect((await waiting).code).not.toBe("");
    expect(pluginProcesses(hub, peer)).toEqual([]);
  });
});

const plain = GO_PEERS.filter((peer) => peer.id === "interop.plain");
withEachGoPeer(
  "Go plugins that never get there",
  (peer) => {
    it.each([
      ["never-ready", "within 700 ms"],
      ["leave-before-ready", "no luck today"],
      ["ready-then-leave", ""],
    ])("%s: given up, with the reason", async (behaviour, reason) => {
      await using hub = await startHub({
        plugins: [
          goPlugin(peer, {
            env: { INTEROP_BEHAVE: behaviour },
            start_timeout_ms: behaviour === "never-ready" ? 700 : 60_000,
          }),
        ],
        restart: { maxCrashes: 1 },
      });
      await expect.poll(() => hub.hub.plugins[0]!.supervised.state.name).toBe("failed");
      const problems = JSON.stringify(hub.hub.status().problems);
      expect(problems).toContain(peer.id);
      expect(problems).toContain(reason);
      expect(pluginProcesses(hub, peer)).toEqual([]);
    });
  },
  plain,
);
