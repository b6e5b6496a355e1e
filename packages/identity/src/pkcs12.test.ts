import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ErrorCode } from "@orchestrator/protocol";
import forge from "node-forge";
import { describe, expect, it } from "vitest";
import { tempDirectory } from "../test/temp.ts";
import { usagesOf } from "../test/usages.ts";
import { openAuthority } from "./authority.ts";

const openssl = (() => {
  try {
    return execFileSync("openssl", ["version"], { encoding: "utf8" });
  } catch {
    return undefined;
  }
})();

describe("Authority.exportPkcs12", () => {
  it("opens with openssl, and holds a client certificate of the authority with its key", async ({ skip }) => {
    if (openssl === undefined) return skip("openssl is not installed");
    for (const algorithm of ["ed25519", "ecdsa-p256"] as const) {
      const directory = tempDirectory();
      const authority = await openAuthority(directory, { algorithm });
      const path = join(directory, "operator.p12");
      writeFileSync(path, await authority.exportPkcs12("orchestrator-operator", "pä55 word"));
      const open = (...args: string[]) =>
        execFileSync("openssl", ["pkcs12", "-in", path, "-passin", "pass:pä55 word", "-nodes", ...args], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "pipe"],
        });
      const certificate = new X509Certificate(open("-clcerts", "-nokeys"));
      expect(certificate.subject).toBe("O=Orchestra\nCN=orchestrator-operator");
      expect(usagesOf(certificate.toString())).toEqual(["1.3.6.1.5.5.7.3.2"]);
      expect(certificate.verify(new X509Certificate(authority.caPem).publicKey)).toBe(true);
      expect(certificate.checkPrivateKey(createPrivateKey(open("-nocerts")))).toBe(true);
      expect(open("-cacerts", "-nokeys")).toContain(authority.caPem.trim());
      expect(open("-clcerts", "-nokeys")).toContain("friendlyName: orchestrator-operator");
      expect(() => open("-passin", "pass:wrong")).toThrow();
    }
  });

  it("is authenticated and encrypted by the password", async () => {
    const authority = await openAuthority(tempDirectory());
    const bytes = Buffer.from(await authority.exportPkcs12("x", "secret"));
    const parse = (password: string) =>
      forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(bytes.toString("binary")), true, password);
    const [bag] = parse("secret").getBags({ bagType: forge.pki.oids["pkcs8ShroudedKeyBag"]! })[
      forge.pki.oids["pkcs8ShroudedKeyBag"]!
    ]!;
    expect((bag!.key as forge.pki.rsa.PrivateKey).n.bitLength()).toBe(2048);
    expect(() => parse("Secret")).toThrow(/MAC/);
  });

  it("refuses an empty password and a name that is a path", async () => {
    const authority = await openAuthority(tempDirectory());
    await expect(authority.exportPkcs12("x", "")).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
    await expect(authority.exportPkcs12("../x", "p")).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
  });
});

it("issues certificates that openssl verifies, in strict mode", async ({ skip }) => {
  if (openssl === undefined) return skip("openssl is not installed");
  for (const algorithm of ["ed25519", "ecdsa-p256"] as const) {
    const directory = tempDirectory();
    const authority = await openAuthority(directory, { algorithm });
    await authority.leaf(`orchestrator-to-${"x".repeat(64)}`);
    const leaf = join(directory, `orchestrator-to-${"x".repeat(64)}.crt`);
    for (const checks of [
      ["-purpose", "sslserver", "-verify_ip", "127.0.0.1"],
      ["-purpose", "sslclient"],
      ["-verify_ip", "::1"],
      ["-verify_hostname", "localhost"],
    ]) {
      const output = execFileSync("openssl", ["verify", "-CAfile", join(directory, "ca.crt"), ...checks, leaf], {
        encoding: "utf8",
      });
      expect(output).toContain(": OK");
    }
    const text = execFileSync("openssl", ["x509", "-in", join(directory, "ca.crt"), "-noout", "-text"], {
      encoding: "utf8",
    });
    expect(text).toMatch(/Key Usage: critical\n\s*Certificate Sign, CRL Sign/);
    expect(text).toMatch(/Basic Constraints: critical\n\s*CA:TRUE, pathlen:1/);
    const leafText = execFileSync("openssl", ["x509", "-in", leaf, "-noout", "-text"], { encoding: "utf8" });
    expect(leafText).toMatch(/Key Usage: critical\n\s*Digital Signature\n/);
    const keyId = /Subject Key Identifier: \n\s*(\S+)/.exec(text)![1]!;
    expect(leafText).toContain(keyId);
  }
});
