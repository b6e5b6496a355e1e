import { type KeyObject, randomBytes } from "node:crypto";
import type { KeyPair } from "./certificate.ts";

export type KeyAlgorithm = "ed25519" | "ecdsa-p256";

/** What a certificate to be made shall say. Times are epoch milliseconds. */
export interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface IssuedPair {
  readonly certPem: string;
  /** PKCS#8, one block. */
  readonly keyPem: string;
}

type X509 = typeof import("@peculiar/x509");

const KEY_PARAMETERS = {
  ed25519: { name: "Ed25519" },
  "ecdsa-p256": { name: "ECDSA", namedCurve: "P-256" },
  "rsa-2048": {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  },
} as const;

/** Loading the library takes longer than everything else here together, and a start with valid certificates needs none of it. */
async function loadX509(): Promise<X509> {
  // The library's dependency injection reads metadata that this adds; it must be there first.
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

/** A self-signed authority. */
export async function issueAuthority(algorithm: KeyAlgorithm, validity: Validity): Promise<IssuedPair> {
  const x509 = await loadX509();
  const keys = await generateKeys(algorithm);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: subject(x509, "Orchestra CA"),
    notBefore: new Date(validity.fromMs),
    notAfter: new Date(validity.untilMs),
    keys,
    signingAlgorithm: signingAlgorithm(algorithm),
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      // A path length of 1 is what peers of this family expect; there are no intermediates today.
      new x509.BasicConstraintsExtension(true, 1, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certPem: `${certificate.toString("pem")}\n`, keyPem: await privateKeyPem(keys.privateKey) };
}

/** A leaf for `name`, for both ends of a connection. `rsa-2048` is for browsers alone, and for clients alone. */
export async function issueLeaf(
  authority: KeyPair,
  name: string,
  options: Validity & { readonly algorithm: KeyAlgorithm | "rsa-2048" },
): Promise<IssuedPair> {
  const x509 = await loadX509();
  const keys = await generateKeys(options.algorithm);
  const issuer = new x509.X509Certificate(authority.certPem);
  const signer = authorityAlgorithm(authority.privateKey);
  if (signer === undefined) throw new TypeError("The authority's key is neither Ed25519 nor P-256");
  const pkcs8 = authority.privateKey.export({ type: "pkcs8", format: "der" });
  const signingKey = await crypto.subtle.importKey("pkcs8", pkcs8, KEY_PARAMETERS[signer], false, ["sign"]);
  // The authority's own identifier, not one that we compute: implementations derive it in different ways.
  const keyId = issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  const forBrowser = options.algorithm === "rsa-2048";
  const usages = [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: subject(x509, name),
    issuer: issuer.subjectName,
    notBefore: new Date(options.fromMs),
    notAfter: new Date(options.untilMs),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: signingAlgorithm(signer),
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(forBrowser ? [x509.ExtendedKeyUsage.clientAuth] : usages),
      ...(keyId === undefined ? [] : [new x509.AuthorityKeyIdentifierExtension(keyId)]),
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: name },
        { type: "dns", value: "localhost" },
        { type: "ip", value: "127.0.0.1" },
        { type: "ip", value: "::1" },
      ]),
    ],
  });
  return { certPem: `${certificate.toString("pem")}\n`, keyPem: await privateKeyPem(keys.privateKey) };
}

/** A key that signs nothing anyone trusts. */
export async function decoyKeyPem(): Promise<string> {
  return privateKeyPem((await generateKeys("ed25519")).privateKey);
}

/** @returns undefined for a key that this package does not sign with */
export function authorityAlgorithm(key: KeyObject): KeyAlgorithm | undefined {
  if (key.asymmetricKeyType === "ed25519") return "ed25519";
  return key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1"
    ? "ecdsa-p256"
    : undefined;
}

/** Node has no global `CryptoKeyPair`, and Deno's own is not that of `node:crypto`; the key itself both know by this name. */
interface KeysOfPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

async function generateKeys(algorithm: keyof typeof KEY_PARAMETERS): Promise<KeysOfPair> {
  return (await crypto.subtle.generateKey(KEY_PARAMETERS[algorithm], true, ["sign", "verify"])) as KeysOfPair;
}

function signingAlgorithm(algorithm: KeyAlgorithm) {
  return algorithm === "ed25519" ? { name: "Ed25519" } : { name: "ECDSA", hash: "SHA-256" };
}

function subject(x509: X509, name: string): InstanceType<X509["Name"]> {
  return new x509.Name([{ O: ["Orchestra"] }, { CN: [name] }]);
}

/** 128 random bits, of which the first is 0 (a serial number is positive) and the second 1 (so that none is short). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString("hex");
}

async function privateKeyPem(key: CryptoKey): Promise<string> {
  const base64 = Buffer.from(await crypto.subtle.exportKey("pkcs8", key)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${base64.replace(/.{1,64}/g, "$&\n")}-----END PRIVATE KEY-----\n`;
}
