import { X509Certificate } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { tempDirectory } from "../test/temp.ts";
import { openAuthority } from "./authority.ts";
import type { TlsMaterial } from "./certificate.ts";
import { loadMaterial } from "./material.ts";

describe("loadMaterial", () => {
  it("reads a plugin's own pairs", async () => {
    const authority = await openAuthority(tempDirectory());
    const own = await authority.pluginDirectory("p");
    const before = readdirSync(own);
    for (const name of ["p", "p-client"]) {
      const material = await loadMaterial(own, name);
      expect(new X509Certificate(material.certPem).subject).toBe(`O=Orchestra\nCN=${name}`);
      expect(material.caPem.trim()).toBe(authority.caPem.trim());
    }
    expect(readdirSync(own)).toEqual(before);
  });

  it("makes a missing pair in a directory that it shares with the hub", async () => {
    const directory = tempDirectory();
    const authority = await openAuthority(directory);
    const material = await loadMaterial(directory, "tools.mine");
    expect(new X509Certificate(material.certPem).verify(new X509Certificate(authority.caPem).publicKey)).toBe(true);
    expect(await authority.leaf("tools.mine")).toEqual(material);
  });

  it("renews an expired pair there", async () => {
    const directory = tempDirectory();
    const lastWeek = Date.now() - 7 * 86_400_000;
    await openAuthority(directory, { now: () => lastWeek });
    const old = await (await openAuthority(directory, { now: () => lastWeek, lifetimeDays: 1 })).leaf("x");
    expect((await loadMaterial(directory, "x")).certPem).not.toBe(old.certPem);
  });

  it("cannot make one with a decoy key, and says what to do", async () => {
    const own = await (await openAuthority(tempDirectory())).pluginDirectory("p");
    const failure = loadMaterial(own, "q");
    await expect(failure).rejects.toMatchObject({ code: ErrorCode.NotFound });
    await expect(failure).rejects.toThrow(/not the authority's key.*start the plugin through the hub/);
    copyFileSync(join(own, "p.key"), join(own, "p-client.key"));
    await expect(loadMaterial(own, "p-client")).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition });
    rmSync(join(own, "ca.key"));
    await expect(loadMaterial(own, "q")).rejects.toMatchObject({ code: ErrorCode.NotFound });
  });

  it("refuses a pair of another authority", async () => {
    const foreign = await (await openAuthority(tempDirectory())).pluginDirectory("p");
    const own = await (await openAuthority(tempDirectory())).pluginDirectory("p");
    for (const file of ["p.crt", "p.key"]) copyFileSync(join(foreign, file), join(own, file));
    await expect(loadMaterial(own, "p")).rejects.toThrow(/another authority issued it/);
  });

  it("says where it looked for an authority", async () => {
    const directory = tempDirectory();
    await expect(loadMaterial(directory, "p")).rejects.toMatchObject({
      code: ErrorCode.NotFound,
      message: expect.stringContaining(`there is no "${join(directory, "ca.crt")}"; start the hub once`),
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  it("reads through links, as mounted secrets are", async () => {
    const own = await (await openAuthority(tempDirectory())).pluginDirectory("p");
    const mounted = join(tempDirectory(), "mounted");
    mkdirSync(mounted);
    for (const file of readdirSync(own)) symlinkSync(join(own, file), join(mounted, file));
    expect(await loadMaterial(mounted, "p")).toEqual(await loadMaterial(own, "p"));
  });
});

describe("the material", () => {
  it.each(["ed25519", "ecdsa-p256"] as const)(
    "authenticates both ends of a TLS 1.3 connection with %s",
    async (algorithm) => {
      const directory = tempDirectory();
      const authority = await openAuthority(directory, { algorithm });
      const [hub, plugin] = [await authority.leaf("orchestrator"), await authority.leaf("p-client")];
      expect(await handshake(hub, plugin, "127.0.0.1")).toEqual(["p-client", "orchestrator"]);
      expect(await handshake(hub, plugin, "localhost")).toEqual(["p-client", "orchestrator"]);
      const foreign = await (await openAuthority(tempDirectory(), { algorithm })).leaf("p-client");
      await expect(handshake(hub, { ...foreign, caPem: hub.caPem }, "127.0.0.1")).rejects.toThrow();
      await expect(handshake(foreign, { ...plugin, caPem: foreign.caPem }, "127.0.0.1")).rejects.toThrow();
    },
  );
});

/** @returns what each end saw of the other: [the client's name at the server, the server's at the client] */
async function handshake(server: TlsMaterial, client: TlsMaterial, host: string): Promise<readonly string[]> {
  const options = { minVersion: "TLSv1.3", requestCert: true, rejectUnauthorized: true } as const;
  const listener = createServer({ ...options, cert: server.certPem, key: server.keyPem, ca: server.caPem });
  listener.listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  const { port } = listener.address() as { port: number };
  const name = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject.CN);
  try {
    return await new Promise((resolve, reject) => {
      listener.once("secureConnection", (socket) => {
        socket.on("error", () => {});
        socket.end(name(socket));
      });
      const socket = connect({
        port,
        host: "127.0.0.1",
        servername: host === "localhost" ? host : "",
        cert: client.certPem,
        key: client.keyPem,
        ca: client.caPem,
      });
      let text = "";
      socket.on("data", (chunk) => (text += chunk.toString()));
      // A refused client learns of it after its side of the handshake is done: an end without data.
      socket.once("end", () => (text === "" ? reject(new Error("refused")) : resolve([text, name(socket)])));
      socket.once("error", reject);
    });
  } finally {
    listener.close();
  }
}
