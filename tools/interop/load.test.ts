import { expect, it } from "vitest";
import { request } from "../../packages/hub/src/testing/index.ts";
import { openAuthority } from "../../packages/identity/src/index.ts";
import { startFixture } from "../../packages/runtime/test/support/program.ts";
import { LinkPeer } from "../../packages/transport/src/index.ts";
import { dialQuic } from "../../packages/transport-quic/src/index.ts";
import { GoClient } from "./go-client.ts";
import { connectGo, goPlugin, scratchDirectory, startGoPlugin, startHub, withEachGoPeer } from "./with-go.ts";

const CALLS = 1_000;

/** More streams than a peer's credit of 100, many times over: none may stay behind. */
withEachGoPeer(`${CALLS} calls on one connection`, (peer) => {
  it("from a Go client to our hub: one after another, then all at once", async () => {
    await using hub = await startHub({});
    await using client = await connectGo(peer, hub);
    for (const parallel of [1, CALLS]) {
      expect(await client.repeat({ requestId: "h", health: {} }, CALLS, parallel)).toMatchObject({
        sent: CALLS,
        failed: 0,
        error: "",
      });
    }
  });

  it("from a Go client to a plugin on our runtime", async () => {
    using scratch = scratchDirectory();
    const authority = await openAuthority(scratch.path);
    await authority.leaf("orchestra-host-client");
    await using plugin = startFixture("greeter.ts", [`--certs-dir=${scratch.path}`]);
    await using client = await GoClient.connect(peer, {
      addr: await plugin.ready(),
      certsDir: scratch.path,
      name: "orchestra-host-client",
    });
    for (const parallel of [1, CALLS]) {
      expect(await client.repeat({ requestId: "h", health: {} }, CALLS, parallel)).toMatchObject({
        sent: CALLS,
        failed: 0,
        error: "",
      });
    }
  });

  it("from us to a Go plugin", async () => {
    using scratch = scratchDirectory();
    const authority = await openAuthority(scratch.path);
    const { program, addr } = await startGoPlugin(peer, [`--certs-dir=${scratch.path}`]);
    await using _ = program;
    const host = new LinkPeer();
    const link = await dialQuic(addr, { tls: await authority.leaf("host") }, host.accept);
    const health = async () => (await request(host, { $case: "health", value: {} })).response?.$case;
    for (let sent = 0; sent < CALLS; sent += 1) expect(await health(), `call ${sent}`).toBe("health");
    expect(new Set(await Promise.all(Array.from({ length: CALLS }, health)))).toEqual(new Set(["health"]));
    await link.close();
  });

  it("through the hub from a Go client to a Go plugin, and back out of it", async () => {
    await using hub = await startHub({ plugins: [goPlugin(peer)] });
    await using client = await connectGo(peer, hub);
    const echo = { requestId: "e", toolCall: { toolName: "echo", arguments: { n: 1 } } };
    for (const parallel of [1, CALLS]) {
      const result = await client.repeat(echo, CALLS, parallel);
      expect(result).toMatchObject({ sent: CALLS, failed: 0, error: "" });
      expect(result.responses[0]?.["toolCall"]).toMatchObject({ success: true });
    }
    const nested = { requestId: "n", toolCall: { toolName: "hub", arguments: { request: JSON.stringify(echo) } } };
    const result = await client.repeat(nested, 300, 50);
    expect(result).toMatchObject({ sent: 300, failed: 0 });
    expect(result.responses[0]?.["toolCall"].result.text).toContain(`caller=${peer.id}`);
  });
});
