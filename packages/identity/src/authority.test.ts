import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { tempDirectory } from "../test/temp.ts";
import { usagesOf } from "../test/usages.ts";
import { openAuthority } from "./authority.ts";

const DAY_MS = 86_400_000;
const NOW = Date.parse("2030-01-01T00:00:00Z");
const at = (ms: number) => ({ now: () => ms });
const CA_HALVES = ["ca.crt", "ca.key"];

describe("openAuthority", () => {
  it("makes an authority and a leaf with the names, uses and lifetimes that peers expect", async () => {
    const directory = tempDirectory();
    const authority = await openAuthority(directory, at(NOW));
    const leaf = await authority.leaf("tools.features");
    const ca = new X509Certificate(authority.caPem);
    const certificate = new X509Certificate(leaf.certPem);
    expect(ca).toMatchObject({
      ca: true,
      subject: "O=Orchestra\nCN=Orchestra CA",
      issuer: "O=Orchestra\nCN=Orchestra CA",
    });
    expect(certificate).toMatchObject({ ca: false, subject: "O=Orchestra\nCN=tools.features" });
    for (const one of [ca, certificate]) {
      expect(one.publicKey.asymmetricKeyType).toBe("ed25519");
      expect(one.validFromDate.getTime()).toBe(NOW - 60_000);
      expect(one.validToDate.getTime()).toBe(NOW + 365 * DAY_MS);
      expect(one.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    }
    expect(certificate.subjectAltName).toMatch(
      /^DNS:tools\.features, DNS:localhost, IP Address:127\.0\.0\.1, IP Address:(?:0:0:0:0:0:0:0|:):1$/,
    );
    expect(usagesOf(leaf.certPem)).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(leaf.keyPem))).toBe(true);
    for (const pem of [leaf.certPem, leaf.keyPem, leaf.caPem]) expect(pem.match(/-----BEGIN /g)).toHaveLength(1);
    expect(leaf.keyPem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(leaf.caPem).toBe(readFileSync(join(directory, "ca.crt"), "utf8"));
    expect(authority.warnings).toEqual([]);
  });

  it("leaves nothing behind but private files in a private directory", async () => {
    const directory = join(tempDirectory(), "deep", "certs");
    await (await openAuthority(directory)).leaf("x");
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory).sort()).toEqual(["ca.crt", "ca.key", "x.crt", "x.key"]);
    for (const file of readdirSync(directory)) expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
  });

  it("loads what is there, byte for byte", async () => {
    const directory = tempDirectory();
    const first = await openAuthority(directory);
    const leaf = await first.leaf("x");
    const second = await openAuthority(directory);
    expect(second.caPem).toBe(first.caPem);
    expect(await second.leaf("x")).toEqual(leaf);
  });

  it("makes and loads ECDSA P-256, and signs new leaves of an old authority alike", async () => {
    const directory = tempDirectory();
    await openAuthority(directory, { algorithm: "ecdsa-p256" });
    const authority = await openAuthority(directory);
    const leaf = new X509Certificate((await authority.leaf("x")).certPem);
    expect(leaf.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(leaf.verify(new X509Certificate(authority.caPem).publicKey)).toBe(true);
    const mixed = await openAuthority(directory, { algorithm: "ed25519" });
    const other = new X509Certificate((await mixed.leaf("y")).certPem);
    expect(other.publicKey.asymmetricKeyType).toBe("ed25519");
    expect(other.verify(new X509Certificate(authority.caPem).publicKey)).toBe(true);
  });

  it.each(CA_HALVES)("refuses a directory whose %s is missing, and touches neither half", async (missing) => {
    const directory = tempDirectory();
    await openAuthority(directory);
    rmSync(join(directory, missing));
    const rest = CA_HALVES.find((file) => file !== missing)!;
    const before = readFileSync(join(directory, rest), "utf8");
    const failure = openAuthority(directory);
    await expect(failure).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition });
    await expect(failure).rejects.toThrow(
      new RegExp(`${missing}" is missing\\. Put the right ca\\.crt and ca\\.key back`),
    );
    expect(readdirSync(directory)).toEqual([rest]);
    expect(readFileSync(join(directory, rest), "utf8")).toBe(before);
  });

  it.each(CA_HALVES)("refuses a truncated or empty %s", async (file) => {
    for (const length of [0, 40]) {
      const directory = tempDirectory();
      await openAuthority(directory);
      truncateSync(join(directory, file), length);
      await expect(openAuthority(directory)).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition });
      expect(statSync(join(directory, file)).size).toBe(length);
    }
  });

  it("refuses halves that do not belong together", async () => {
    const [one, two] = [tempDirectory(), tempDirectory()];
    await openAuthority(one);
    await openAuthority(two);
    copyFileSync(join(two, "ca.key"), join(one, "ca.key"));
    await expect(openAuthority(one)).rejects.toThrow(/the private key does not belong to the certificate/);
  });

  it("refuses a leaf in place of the authority, and a key that it cannot sign with", async () => {
    const directory = tempDirectory();
    await (await openAuthority(directory)).leaf("x");
    copyFileSync(join(directory, "x.crt"), join(directory, "ca.crt"));
    copyFileSync(join(directory, "x.key"), join(directory, "ca.key"));
    await expect(openAuthority(directory)).rejects.toThrow(/not the certificate of an authority/);
  });

  it("finishes what a killed process began: the key is shown, the certificate only staged", async () => {
    const directory = tempDirectory();
    const { caPem } = await openAuthority(directory);
    copyFileSync(join(directory, "ca.crt"), join(directory, ".ca.crt.new"));
    rmSync(join(directory, "ca.crt"));
    expect((await openAuthority(directory)).caPem).toBe(caPem);
    expect(readdirSync(directory).sort()).toEqual(["ca.crt", "ca.key"]);
  });

  it("waits for a program that writes the halves one after the other", async () => {
    const [source, directory] = [tempDirectory(), tempDirectory()];
    await openAuthority(source);
    copyFileSync(join(source, "ca.crt"), join(directory, "ca.crt"));
    const opening = openAuthority(directory);
    // The lock shows that it has seen the half.
    while (!existsSync(join(directory, ".lock"))) await new Promise((resolve) => setImmediate(resolve));
    copyFileSync(join(source, "ca.key"), join(directory, "ca.key"));
    expect((await opening).caPem).toBe(readFileSync(join(source, "ca.crt"), "utf8"));
  });

  it("refuses an expired authority, one from the future, and warns of one about to expire", async () => {
    const directory = tempDirectory();
    await openAuthority(directory, at(NOW));
    await expect(openAuthority(directory, at(NOW + 366 * DAY_MS))).rejects.toThrow(
      /it expired at 2031-01-01.*move both away/,
    );
    await expect(openAuthority(directory, at(NOW - DAY_MS))).rejects.toThrow(/not valid before .* clock/);
    const late = await openAuthority(directory, at(NOW + 336 * DAY_MS));
    expect(late.warnings).toEqual([expect.stringMatching(/expires at 2031-01-01/)]);
    expect(late.expiresAtMs).toBe(NOW + 365 * DAY_MS);
  });
});

describe("Authority.leaf", () => {
  it("renews with less than a third of the lifetime left, not earlier, and never beyond the authority", async () => {
    const directory = tempDirectory();
    await openAuthority(directory, { ...at(NOW), lifetimeDays: 3650 });
    const open = (days: number) => openAuthority(directory, { ...at(NOW + days * DAY_MS), lifetimeDays: 90 });
    const first = await (await open(0)).leaf("x");
    expect(await (await open(59)).leaf("x")).toEqual(first);
    const renewed = await (await open(61)).leaf("x");
    expect(renewed.certPem).not.toBe(first.certPem);
    expect(renewed.keyPem).not.toBe(first.keyPem);
    expect(new X509Certificate(renewed.certPem).validToDate.getTime()).toBe(NOW + 151 * DAY_MS);
    // At the end of the authority's life a new leaf would not last longer than the old one.
    const last = await (await open(3600)).leaf("y");
    expect(new X509Certificate(last.certPem).validToDate.getTime()).toBe(NOW + 3650 * DAY_MS);
    expect(await (await open(3649)).leaf("y")).toEqual(last);
  });

  it("replaces an expired leaf", async () => {
    const directory = tempDirectory();
    await openAuthority(directory, { ...at(NOW), lifetimeDays: 3650 });
    const first = await (await openAuthority(directory, { ...at(NOW), lifetimeDays: 1 })).leaf("x");
    const authority = await openAuthority(directory, at(NOW + 2 * DAY_MS));
    expect((await authority.leaf("x")).certPem).not.toBe(first.certPem);
    expect(authority.warnings).toEqual([expect.stringMatching(/made anew: it expired/)]);
  });

  it.each([
    ["of another authority", /another authority issued it/],
    ["of an authority of the same name", /another authority issued it/],
    ["for another name", /it is for "y"/],
    ["truncated", /damaged/],
    ["without its key", /missing/],
    ["with another key", /does not belong/],
  ])("replaces a leaf %s", async (what, reason) => {
    const [directory, other] = [tempDirectory(), tempDirectory()];
    const authority = await openAuthority(directory);
    const foreign = await openAuthority(other);
    const first = await authority.leaf("x");
    await authority.leaf("y");
    await foreign.leaf("x");
    const put = (from: string, name: string, ...endings: string[]) => {
      for (const ending of endings) copyFileSync(join(from, `${name}.${ending}`), join(directory, `x.${ending}`));
    };
    if (what.includes("authority")) put(other, "x", "crt", "key");
    if (what === "for another name") put(directory, "y", "crt", "key");
    if (what === "truncated") truncateSync(join(directory, "x.key"), 60);
    if (what === "without its key") rmSync(join(directory, "x.key"));
    if (what === "with another key") put(directory, "y", "key");
    const again = await authority.leaf("x");
    expect(again.certPem).not.toBe(first.certPem);
    const certificate = new X509Certificate(again.certPem);
    expect(certificate.checkHost("x")).toBe("x");
    expect(certificate.verify(new X509Certificate(authority.caPem).publicKey)).toBe(true);
    expect(authority.warnings.join()).toMatch(reason);
  });

  it("takes a key in SEC 1 form, as other programs write it, and hands out PKCS#8", async () => {
    const directory = tempDirectory();
    const authority = await openAuthority(directory, { algorithm: "ecdsa-p256" });
    const leaf = await authority.leaf("x");
    writeFileSync(join(directory, "x.key"), createPrivateKey(leaf.keyPem).export({ type: "sec1", format: "pem" }));
    const again = await authority.leaf("x");
    expect(again.certPem).toBe(leaf.certPem);
    expect(again.keyPem).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  it("refuses names that are paths", async () => {
    const authority = await openAuthority(tempDirectory());
    for (const name of ["../x", "ca", ""]) {
      await expect(authority.leaf(name)).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
    }
  });
});

describe("Authority.renewIfDue", () => {
  it("renews what is due, plugins' pairs included, and nothing else", async () => {
    const directory = tempDirectory();
    await openAuthority(directory, { ...at(NOW), lifetimeDays: 3650 });
    const early = await openAuthority(directory, { ...at(NOW), lifetimeDays: 90 });
    await early.leaf("old");
    const plugin = await early.pluginDirectory("p");
    let days = 61;
    const late = await openAuthority(directory, { now: () => NOW + days * DAY_MS, lifetimeDays: 90 });
    await late.leaf("new");
    const renewed = await late.renewIfDue();
    expect([...renewed].sort()).toEqual([join(directory, "old"), join(plugin, "p"), join(plugin, "p-client")].sort());
    expect(await late.renewIfDue()).toEqual([]);
    days += 61;
    expect(await late.renewIfDue()).toHaveLength(4);
  });

  it("does not touch the authority", async () => {
    const directory = tempDirectory();
    const { caPem } = await openAuthority(directory, at(NOW));
    await (await openAuthority(directory, at(NOW + 364 * DAY_MS))).renewIfDue();
    expect(readFileSync(join(directory, "ca.crt"), "utf8")).toBe(caPem);
  });
});

it("refuses an RSA authority with a message that says what is supported", async () => {
  const { selfSignedRsa } = await import("../test/self-signed-rsa.ts");
  const directory = tempDirectory();
  const { certPem, keyPem } = await selfSignedRsa(generateKeyPairSync("rsa", { modulusLength: 2048 }));
  writeFileSync(join(directory, "ca.crt"), certPem);
  writeFileSync(join(directory, "ca.key"), keyPem, { mode: 0o600 });
  await expect(openAuthority(directory)).rejects.toThrow(/its key is rsa, only Ed25519 and ECDSA P-256/);
});
