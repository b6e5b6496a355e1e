import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { dirname } from "node:path";
import { openAuthority } from "@orchestrator/identity";
import { ErrorCode, type HubError } from "@orchestrator/protocol";
import type { LinkListener } from "@orchestrator/transport";
import { afterAll, describe, expect, it } from "vitest";
import { dialSocket, listenSocket, openFdLink } from "../src/index.ts";
import { Echo } from "./support/echo.ts";
import { scratch } from "./support/sockets.ts";
import { leaveSocket } from "./support/stale-socket.ts";

const directory = scratch();
const authority = await openAuthority(directory.path("certs"), { algorithm: "ecdsa-p256" });
const stranger = await openAuthority(directory.path("other-certs"), { algorithm: "ecdsa-p256" });
const tls = await authority.leaf("orchestrator");
const client = await authority.leaf("plugin-client");
afterAll(() => directory.remove());
let count = 0;

const accept = () => new Echo().accept;
const newPath = () => directory.path(`l${count++}`);
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** Listens and says who answers there, then closes. */
async function serves(listener: LinkListener): Promise<boolean> {
  const echo = new Echo();
  const link = await dialSocket(listener.address, { tls: client }, echo.accept);
  const answer = await echo.call(Buffer.from("hi"));
  await link.close(0);
  return Buffer.from(answer as Uint8Array).toString() === "hi";
}

describe("the path of a Unix socket", () => {
  it("is made for its owner alone, with its directory", async () => {
    const path = directory.path("new/deep/hub.sock");
    await using listener = await listenSocket(`unix:${path}`, { tls }, accept());
    expect([mode(path), mode(dirname(path)), mode(dirname(dirname(path)))]).toEqual(["600", "700", "700"]);
    expect(await serves(listener)).toBe(true);
  });

  it("is taken away with the listener", async () => {
    const path = newPath();
    const listener = await listenSocket(`unix:${path}`, { tls }, accept());
    await listener.close(0);
    expect(existsSync(path)).toBe(false);
  });

  it("may be in a directory that was there, whose mode stays, unless everybody may replace files in it", async () => {
    const shared = directory.path("shared");
    mkdirSync(shared);
    chmodSync(shared, 0o755);
    await using listener = await listenSocket(`unix:${shared}/s`, { tls }, accept());
    expect([mode(shared), mode(`${shared}/s`), await serves(listener)]).toEqual(["755", "600", true]);
    chmodSync(shared, 0o777);
    const refused = { code: ErrorCode.PermissionDenied, message: expect.stringContaining("chmod o-w") };
    await expect(listenSocket(`unix:${shared}/t`, { tls }, accept())).rejects.toMatchObject(refused);
    chmodSync(shared, 0o1777);
    await using sticky = await listenSocket(`unix:${shared}/t`, { tls }, accept());
    expect(await serves(sticky)).toBe(true);
  });

  it("is free again when who listened there is dead", async () => {
    const path = newPath();
    await leaveSocket(path);
    expect(statSync(path).isSocket()).toBe(true);
    await using listener = await listenSocket(`unix:${path}`, { tls }, accept());
    expect(await serves(listener)).toBe(true);
  });

  it("goes to one of many that find it stale at the same time, and that one stays reachable", async () => {
    const path = newPath();
    await leaveSocket(path);
    const racers = Array.from({ length: 8 }, () => listenSocket(`unix:${path}`, { tls }, accept()));
    const ends = await Promise.allSettled(racers);
    const winners = ends.filter((end) => end.status === "fulfilled").map((end) => end.value);
    const codes = ends.filter((end) => end.status === "rejected").map((end) => (end.reason as HubError).code);
    expect([winners.length, new Set(codes)]).toEqual([1, new Set([ErrorCode.AlreadyExists])]);
    expect(await serves(winners[0]!)).toBe(true);
    await winners[0]!.close(0);
  });

  it("is not taken from who listens there, whoever that is", async () => {
    const path = newPath();
    const other = createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => other.listen(path, resolve));
    const refused = { code: ErrorCode.AlreadyExists, message: expect.stringContaining("another program") };
    await expect(listenSocket(`unix:${path}`, { tls }, accept())).rejects.toMatchObject(refused);
    await new Promise<void>((resolve) => connect(path, resolve).unref());
    other.close();
  });

  it("is not taken from a file or a link that lies there", async () => {
    const [file, link] = [newPath(), newPath()];
    writeFileSync(file, "precious");
    symlinkSync(newPath(), link);
    const refused = { code: ErrorCode.AlreadyExists, message: expect.stringContaining("no socket") };
    for (const path of [file, link]) {
      await expect(listenSocket(`unix:${path}`, { tls }, accept())).rejects.toMatchObject(refused);
    }
    expect(statSync(file).size).toBe(8);
    await expect(listenSocket(`unix:${file}/below`, { tls }, accept())).rejects.toMatchObject({
      code: ErrorCode.InvalidArgument,
    });
  });

  it("is checked for what the system allows", async () => {
    const long = listenSocket(`unix:/${"x".repeat(120)}`, { tls }, accept());
    await expect(long).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
  });
});

describe("peers", () => {
  it.each(["unix", "tls"])(
    "over %s: those of another authority are refused, and both sides learn why",
    async (kind) => {
      const refusals: HubError[] = [];
      const address = kind === "unix" ? `unix:${newPath()}` : "tls:127.0.0.1:0";
      const onRefused = (reason: HubError) => refusals.push(reason);
      await using listener = await listenSocket(address, { tls, onRefused }, accept());
      const foreign = { ...(await stranger.leaf("plugin-client")), caPem: authority.caPem };
      const dial = dialSocket(listener.address, { tls: foreign }, accept());
      await expect(dial).rejects.toMatchObject({ code: ErrorCode.Unauthenticated });
      await expect
        .poll(() => refusals)
        .toMatchObject([{ code: ErrorCode.Unauthenticated, message: expect.stringContaining("refused") }]);
      const distrusting = { ...client, caPem: stranger.caPem };
      const other = dialSocket(listener.address, { tls: distrusting }, accept());
      await expect(other).rejects.toMatchObject({ code: ErrorCode.Unauthenticated });
    },
  );

  it("have addresses of their own, also over one path", async () => {
    const seen: string[] = [];
    await using listener = await listenSocket(`unix:${newPath()}`, { tls }, (link) => {
      seen.push(link.remoteAddress);
      return new Echo().accept(link);
    });
    const links = await Promise.all([1, 2].map(() => dialSocket(listener.address, { tls: client }, accept())));
    expect(new Set(seen).size).toBe(2);
    await Promise.all(links.map((link) => link.close(0)));
  });

  it("that never finish their handshake do not hold up the end of the listener", async () => {
    const listener = await listenSocket("tls:127.0.0.1:0", { tls, handshakeTimeoutMs: 60_000 }, accept());
    const socket = connect(Number(listener.address.split(":").at(-1)), "127.0.0.1");
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    socket.on("error", () => {});
    await listener.close(0);
    socket.destroy();
  });

  it("that nobody answers hear UNAVAILABLE", async () => {
    const unavailable = { code: ErrorCode.Unavailable };
    await expect(dialSocket(`unix:${newPath()}`, { tls: client }, accept())).rejects.toMatchObject(unavailable);
    await expect(dialSocket("tls:127.0.0.1:1", { tls: client }, accept())).rejects.toMatchObject(unavailable);
    const path = newPath();
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    const options = { tls: client, handshakeTimeoutMs: 20 };
    await expect(dialSocket(`unix:${path}`, options, accept())).rejects.toMatchObject(unavailable);
    silent.close();
  });
});

it("ends with its signal", async () => {
  const end = new AbortController();
  const path = newPath();
  const echo = new Echo();
  await listenSocket(`unix:${path}`, { tls, signal: end.signal }, accept());
  await dialSocket(`unix:${path}`, { tls: client }, echo.accept);
  end.abort();
  await echo.closed;
  const late = listenSocket(`unix:${path}`, { tls, signal: end.signal }, accept());
  await expect(late).rejects.toMatchObject({ code: ErrorCode.Cancelled });
});

it("refuses a descriptor that is no socket", () => {
  expect(() => openFdLink(987, "hub", accept())).toThrow(expect.objectContaining({ code: ErrorCode.InvalidArgument }));
});
