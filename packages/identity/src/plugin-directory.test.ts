import { createPrivateKey, X509Certificate } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { tempDirectory } from "../test/temp.ts";
import { openAuthority } from "./authority.ts";

describe("Authority.pluginDirectory", () => {
  it("holds the authority's certificate, both pairs and a key that signs for nobody", async () => {
    const directory = tempDirectory();
    const authority = await openAuthority(directory);
    const own = await authority.pluginDirectory("tools.features");
    expect(own).toBe(join(directory, "plugins", "tools.features"));
    expect(readdirSync(own).sort()).toEqual(
      [
        "ca.crt",
        "ca.key",
        "tools.features-client.crt",
        "tools.features-client.key",
        "tools.features.crt",
        "tools.features.key",
      ].sort(),
    );
    for (const path of [join(directory, "plugins"), own]) expect(statSync(path).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(own)) expect(statSync(join(own, file)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(own, "ca.crt"), "utf8")).toBe(authority.caPem);

    const ca = new X509Certificate(authority.caPem);
    const decoy = readFileSync(join(own, "ca.key"), "utf8");
    expect(decoy).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(ca.checkPrivateKey(createPrivateKey(decoy))).toBe(false);
    const client = new X509Certificate(readFileSync(join(own, "tools.features-client.crt")));
    expect(client.subject).toBe("O=Orchestra\nCN=tools.features-client");
    expect(client.verify(ca.publicKey)).toBe(true);
  });

  it("never holds the real key, in no file, not even when somebody put it there", async () => {
    const directory = tempDirectory();
    const authority = await openAuthority(directory);
    const own = await authority.pluginDirectory("p");
    copyFileSync(join(directory, "ca.key"), join(own, "ca.key"));
    await authority.pluginDirectory("p");
    const real = readFileSync(join(directory, "ca.key"), "utf8").split("\n")[1]!;
    for (const file of readdirSync(own)) expect(readFileSync(join(own, file), "utf8")).not.toContain(real);
    expect(authority.warnings).toEqual([expect.stringMatching(/authority's own key/)]);
  });

  it("changes nothing the second time, and mends what a plugin did to it", async () => {
    const authority = await openAuthority(tempDirectory());
    const own = await authority.pluginDirectory("p");
    const read = () => readdirSync(own).map((file) => [file, readFileSync(join(own, file), "utf8")]);
    const before = read();
    await authority.pluginDirectory("p");
    expect(read()).toEqual(before);
    writeFileSync(join(own, "ca.crt"), "nonsense");
    writeFileSync(join(own, "p-client.crt"), readFileSync(join(own, "p.crt")));
    await authority.pluginDirectory("p");
    expect(readFileSync(join(own, "ca.crt"), "utf8")).toBe(authority.caPem);
    const client = new X509Certificate(readFileSync(join(own, "p-client.crt")));
    expect(client.subject).toContain("CN=p-client");
  });

  it("follows no link that a plugin could have put in the way", async () => {
    const directory = tempDirectory();
    const authority = await openAuthority(directory);
    const own = await authority.pluginDirectory("p");
    const elsewhere = tempDirectory();
    symlinkSync(elsewhere, join(directory, "plugins", "q"));
    await expect(authority.pluginDirectory("q")).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition });
    expect(readdirSync(elsewhere)).toEqual([]);
    rmSync(join(own, "p.key"));
    symlinkSync(join(directory, "ca.key"), join(own, "p.key"));
    await expect(authority.pluginDirectory("p")).rejects.toThrow(/symbolic link/);
    expect(await authority.renewIfDue()).toEqual([]);
    expect(authority.warnings.join()).toMatch(/p" could not be renewed: .*symbolic link/);
  });

  it("makes no certificate for a name that a plugin plants in its directory", async () => {
    const authority = await openAuthority(tempDirectory());
    const own = await authority.pluginDirectory("p");
    for (const name of ["orchestrator-operator", "q-client"]) writeFileSync(join(own, `${name}.crt`), "renew me");
    expect(await authority.renewIfDue()).toEqual([]);
    expect(readFileSync(join(own, "orchestrator-operator.crt"), "utf8")).toBe("renew me");
  });

  it.each(["..", "a/b", "a\0", "x".repeat(65), "orchestrator-operator"])("refuses the id %j", async (id) => {
    const directory = tempDirectory();
    const authority = await openAuthority(directory);
    await expect(authority.pluginDirectory(id)).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
    expect(readdirSync(directory).sort()).toEqual(["ca.crt", "ca.key"]);
  });
});
