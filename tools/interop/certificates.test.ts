import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { request } from "../../packages/hub/src/testing/index.ts";
import { fixture } from "../../packages/hub/test/plugins.ts";
import { openAuthority } from "../../packages/identity/src/index.ts";
import { LinkPeer } from "../../packages/transport/src/index.ts";
import { dialQuic } from "../../packages/transport-quic/src/index.ts";
import { GoClient } from "./go-client.ts";
import { connectGo, goPlugin, scratchDirectory, startGoPlugin, startHub, withEachGoPeer } from "./with-go.ts";

/** What peers read in a leaf. */
function facts(directory: string, name: string) {
  const leaf = new X509Certificate(readFileSync(join(directory, `${name}.crt`)));
  const { subject, issuer, subjectAltName, keyUsage } = leaf;
  const days = Math.round((Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / 86_400_000);
  const modes = [`${name}.crt`, `${name}.key`].map((file) =>
    (statSync(join(directory, file)).mode & 0o777).toString(8),
  );
  return {
    subject: subject.replace(name, "NAME"),
    issuer,
    names: subjectAltName?.replace(name, "NAME"),
    keyUsage,
    days,
    modes,
  };
}

withEachGoPeer("certificates", (peer) => {
  it("a Go plugin starts on a directory that we made, signs its own leaf there, and both sides trust each other", async () => {
    using scratch = scratchDirectory();
    const authority = await openAuthority(scratch.path);
    await authority.leaf("orchestrator");
    const { program, addr } = await startGoPlugin(peer, [`--certs-dir=${scratch.path}`]);
    await using _ = program;
    const host = new LinkPeer();
    const link = await dialQuic(addr, { tls: await authority.leaf("orchestrator-to-it") }, host.accept);
    expect(link.peer).toBe(peer.id);
    expect((await request(host, { $case: "health", value: {} })).response).toMatchObject({
      $case: "health",
      value: { status: 1 },
    });
    await link.close();
    expect(facts(scratch.path, peer.id)).toEqual(facts(scratch.path, "orchestrator"));
    expect(readFileSync(join(scratch.path, "ca.crt"), "utf8")).toBe(authority.caPem);
  });

  it("a hub runs on a directory that a Go plugin made", async () => {
    using scratch = scratchDirectory();
    const certs = join(scratch.path, "certs");
    const { program } = await startGoPlugin(peer, [`--certs-dir=${certs}`]);
    await program[Symbol.asyncDispose]();
    const made = readFileSync(join(certs, "ca.crt"), "utf8");
    await using hub = await startHub({ directory: scratch.path, plugins: [goPlugin(peer)] });
    expect(hub.authority.caPem).toBe(made);
    await using client = await connectGo(peer, hub);
    expect((await client.tool("echo")).text).toContain("caller=transport.stdio");
    expect(facts(certs, "orchestrator")).toEqual(facts(certs, peer.id));
  });

  it("a Go client that the operator gave the directory signs its own certificate, and is who that says", async () => {
    await using hub = await startHub({
      plugins: [fixture("tools.a", { TOOLS: "whoami" })],
      config: { policy: [{ effect: "allow", caller: "adopted", use: ["whoami"] }] },
    });
    await using client = await GoClient.connect(peer, {
      addr: hub.hub.address,
      certsDir: hub.authority.directory,
      name: "adopted-client",
    });
    expect((await client.tool("whoami")).text).toBe("adopted|adopted");
  });
});

withEachGoPeer("peers that nobody should trust", (peer) => {
  const attempt = async (client: Promise<GoClient>) => {
    // TLS 1.3 tells a client that its certificate was refused only after the handshake: the first call shows it.
    await using connected = await client;
    return await connected.call({ requestId: "r", health: {} });
  };

  it("a client without a certificate is refused", async () => {
    await using hub = await startHub({});
    const options = { addr: hub.hub.address, certsDir: hub.authority.directory, name: "someone", anonymous: true };
    await expect(attempt(GoClient.connect(peer, options))).rejects.toThrow();
  });

  it("a client with a certificate of another authority is refused", async () => {
    await using hub = await startHub({});
    using scratch = scratchDirectory();
    await (await openAuthority(scratch.path)).leaf("orchestrator-operator");
    const options = { addr: hub.hub.address, certsDir: scratch.path, name: "orchestrator-operator" };
    await expect(attempt(GoClient.connect(peer, options))).rejects.toThrow(/unknown authority|certificate/);
  });

  it("a client that asks for another protocol is refused", async () => {
    await using hub = await startHub({});
    await hub.authority.leaf("someone");
    const options = { addr: hub.hub.address, certsDir: hub.authority.directory, name: "someone", alpn: "h3" };
    await expect(attempt(GoClient.connect(peer, options))).rejects.toThrow();
  });

  it("the hub goes on serving those it trusts", async () => {
    await using hub = await startHub({});
    const options = { addr: hub.hub.address, certsDir: hub.authority.directory, name: "someone", anonymous: true };
    await expect(attempt(GoClient.connect(peer, options))).rejects.toThrow();
    await using client = await connectGo(peer, hub);
    expect((await client.call({ health: {} })).health.status).toBe("STATUS_HEALTHY");
  });
});
