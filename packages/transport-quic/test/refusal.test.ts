import { createSocket } from "node:dgram";
import { ErrorCode, type HubError } from "@orchestrator/protocol";
import { LinkPeer } from "@orchestrator/transport";
import { bytes, Recorder } from "@orchestrator/transport/conformance";
import { describe, expect, it } from "vitest";
import { dialQuic } from "../src/endpoint/dial.ts";
import { listenQuic } from "../src/endpoint/listen.ts";
import { quicSupport } from "../src/support.ts";
import { ownLoopback } from "./loopback.ts";
import { testMaterial } from "./material.ts";
import { quicPair } from "./pair.ts";

const material = await testMaterial();
const accept = new Recorder().accept;

async function dialRefused(
  listen: Partial<Parameters<typeof listenQuic>[1]>,
  dial: Partial<Parameters<typeof dialQuic>[1]>,
): Promise<{ here: HubError; there: HubError | undefined; accepted: boolean }> {
  const told = Promise.withResolvers<HubError | undefined>();
  let accepted = false;
  await using listener = await listenQuic(
    "localhost:0",
    { tls: material.server, onRefused: (error) => told.resolve(error), ...listen },
    (link) => {
      accepted = true;
      return accept(link);
    },
  );
  const here = await dialQuic(listener.address, { tls: material.client, ...dial }, accept).then(
    () => Promise.reject(new Error("was not refused")),
    (error: HubError) => error,
  );
  return { here, there: await told.promise, accepted };
}

describe("refusal", () => {
  it("turns away a client of another authority, and says why on both sides", async () => {
    // The client trusts the server; only its own certificate is foreign.
    const tls = { ...material.foreign, caPem: material.client.caPem };
    const { here, there, accepted } = await dialRefused({}, { tls });
    expect([here.code, there?.code, accepted]).toEqual([ErrorCode.Unauthenticated, ErrorCode.Unauthenticated, false]);
    expect(there?.message).toContain("not issued by the authority");
  });

  it("does not talk to a server of another authority", async () => {
    const { here, there, accepted } = await dialRefused({}, { tls: material.foreign });
    expect([here.code, accepted]).toEqual([ErrorCode.Unauthenticated, false]);
    expect(there?.code).toBe(ErrorCode.Unauthenticated);
  });

  it("does not talk to a server that has another name", async () => {
    const { here } = await dialRefused({}, { serverName: "elsewhere" });
    expect(here.code).toBe(ErrorCode.Unauthenticated);
  });

  it("turns away a client that speaks another protocol", async () => {
    const { here, there } = await dialRefused({}, { alpn: "something-else" });
    expect([here.code, there?.code]).toEqual([ErrorCode.FailedPrecondition, ErrorCode.FailedPrecondition]);
  });

  it("turns away a client with a foreign certificate even where it need not have one", async () => {
    const tls = { ...material.foreign, caPem: material.client.caPem };
    const { there, accepted } = await dialRefused({ clientCertificates: "allow-anonymous" }, { tls });
    expect([there?.code, accepted]).toEqual([ErrorCode.Unauthenticated, false]);
  });

  it("turns away a client without a certificate, unless told otherwise", async () => {
    const tls = { ...material.client, certPem: "", keyPem: "" };
    const { here, there } = await dialRefused({}, { tls });
    expect([here.code, there?.code]).toEqual([ErrorCode.Unauthenticated, ErrorCode.Unauthenticated]);

    const peer = new LinkPeer();
    const server = new LinkPeer((call) => void call.reply(bytes(3)));
    await using pair = await quicPair(peer.accept, server.accept, {
      material,
      dial: { tls },
      listen: { clientCertificates: "allow-anonymous" },
    });
    expect([...(await peer.call(bytes(1)))]).toEqual([3]);
    expect([pair.accepting.peer, pair.connecting.peer]).toEqual(["", "orchestrator"]);
  });

  it("knows a client with a certificate where it need not have one", async () => {
    await using pair = await quicPair(accept0(), accept0(), {
      material,
      listen: { clientCertificates: "allow-anonymous" },
    });
    expect(pair.accepting.peer).toBe("plugin-client");
  });

  it("works with ECDSA certificates", async () => {
    const peer = new LinkPeer();
    const server = new LinkPeer((call) => void call.reply(bytes(3)));
    await using _pair = await quicPair(peer.accept, server.accept, { material: await testMaterial("ecdsa-p256") });
    expect([...(await peer.call(bytes(1)))]).toEqual([3]);
  });

  it("names what cannot be used", async () => {
    const tls = { ...material.server, keyPem: "nonsense" };
    await expect(listenQuic("localhost:0", { tls }, accept)).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
    const idleTimeoutMs = 0;
    await expect(listenQuic("localhost:0", { tls: material.server, idleTimeoutMs }, accept)).rejects.toThrow(
      /idleTimeoutMs must be a whole number from 1/,
    );
  });
});

describe("addresses", () => {
  it.each([
    ["localhost:0", /^127\.0\.0\.1:\d+$/],
    ["127.0.0.1:0", /^127\.0\.0\.1:\d+$/],
    [":0", /^127\.0\.0\.1:\d+$/],
    ["[::1]:0", /^\[::1\]:\d+$/],
  ])("listens on %s", async (address, real) => {
    const server = new LinkPeer((call) => void call.reply(bytes(3)));
    await using listener = await listenQuic(address, { tls: material.server }, server.accept);
    expect(listener.address).toMatch(real);
    const peer = new LinkPeer();
    const link = await dialQuic(listener.address, { tls: material.client }, peer.accept);
    expect(link.remoteAddress).toBe(listener.address);
    expect([...(await peer.call(bytes(1)))]).toEqual([3]);
    await link.close();
  });

  it.each(["", "localhost", "localhost:99999", "::1:0", "localhost:port"])("refuses %j", async (address) => {
    await expect(listenQuic(address, { tls: material.server }, accept)).rejects.toMatchObject({
      code: ErrorCode.InvalidArgument,
    });
  });

  it("says which port is taken", async () => {
    await using listener = await listenQuic("localhost:0", { tls: material.server }, accept);
    await expect(listenQuic(listener.address, { tls: material.server }, accept)).rejects.toMatchObject({
      code: ErrorCode.AlreadyExists,
      message: `Cannot listen on ${listener.address}: the port is already in use`,
    });
  });

  it("says at once that nobody listens", async () => {
    const listener = await listenQuic(ownLoopback(), { tls: material.server }, accept);
    await listener.close();
    await expect(dialQuic(listener.address, { tls: material.client }, accept)).rejects.toMatchObject({
      code: ErrorCode.Unavailable,
    });
  });

  it("gives up on a listener that does not answer, in time or when told", async () => {
    const silent = createSocket("udp4");
    await new Promise<void>((resolve) => silent.bind(0, "127.0.0.1", resolve));
    const address = `127.0.0.1:${silent.address().port}`;
    const tls = material.client;
    await expect(dialQuic(address, { tls, handshakeTimeoutMs: 20 }, accept)).rejects.toThrow("did not complete");
    const controller = new AbortController();
    const dial = dialQuic(address, { tls, signal: controller.signal }, accept);
    await new Promise((resolve) => silent.once("message", resolve));
    controller.abort();
    await expect(dial).rejects.toMatchObject({ code: ErrorCode.Cancelled });
    await expect(dialQuic(address, { tls, signal: AbortSignal.abort() }, accept)).rejects.toMatchObject({
      code: ErrorCode.Cancelled,
    });
    await new Promise<void>((resolve) => silent.close(() => resolve()));
  });

  it("closes a listener with all its links when its signal aborts", async () => {
    const controller = new AbortController();
    const recorder = new Recorder();
    await using pair = await quicPair(recorder.accept, accept0(), { material, listen: { signal: controller.signal } });
    controller.abort();
    expect((await recorder.until("closed")).error?.code).toBe(ErrorCode.Unavailable);
    await pair.accepting.closed;
  });
});

describe("support", () => {
  it("is there on this machine", () => {
    expect(quicSupport()).toEqual({ ok: true });
  });
});

function accept0() {
  return new Recorder().accept;
}
