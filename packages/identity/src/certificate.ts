import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** Key material of one peer, PEM; the same shape as the transports take. */
export interface TlsMaterial {
  /** The leaf certificate. */
  readonly certPem: string;
  /** PKCS#8. */
  readonly keyPem: string;
  /** The one certificate authority that peers must chain to. */
  readonly caPem: string;
}

/** A certificate and its private key, read and parsed. */
export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
}

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/;
/** Extended key usages as they are encoded: 1.3.6.1.5.5.7.3.1 and .2. Not every runtime lists those of a certificate. */
const SERVER_AUTH = Buffer.from("06082b06010505070301", "hex");
const CLIENT_AUTH = Buffer.from("06082b06010505070302", "hex");
const LOOPBACK_NAMES = ["DNS:localhost", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1"];

/**
 * Parses the first certificate block and a private key of any usual form (PKCS#8, PKCS#1, SEC 1).
 * @returns the pair, or in words why it is none
 */
export function parsePair(certText: string, keyText: string): KeyPair | string {
  const block = CERTIFICATE_BLOCK.exec(certText)?.[0];
  if (block === undefined) return "the certificate file holds no PEM certificate";
  let certificate: X509Certificate;
  let privateKey: KeyObject;
  try {
    certificate = new X509Certificate(block);
  } catch {
    return "the certificate is damaged";
  }
  try {
    privateKey = createPrivateKey(keyText);
  } catch {
    return "the private key is damaged, encrypted or no key";
  }
  if (!certificate.checkPrivateKey(privateKey)) return "the private key does not belong to the certificate";
  const isPkcs8 = keyText.includes("-----BEGIN PRIVATE KEY-----");
  const keyPem = isPkcs8 ? keyText : privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { certPem: `${block}\n`, keyPem, certificate, privateKey };
}

/** @returns in words why the certificate is not valid at `nowMs` (epoch milliseconds), or undefined */
export function validityProblem(certificate: X509Certificate, nowMs: number): string | undefined {
  if (nowMs < certificate.validFromDate.getTime()) {
    return `it is not valid before ${certificate.validFromDate.toISOString()}; is this machine's clock right?`;
  }
  if (nowMs > certificate.validToDate.getTime()) return `it expired at ${certificate.validToDate.toISOString()}`;
  return undefined;
}

/** @returns in words why a leaf does not serve as `name` under `authority` (its names, its issuer), or undefined */
export function leafProblem(
  certificate: X509Certificate,
  name: string,
  authority: X509Certificate,
): string | undefined {
  if (!isIssuedBy(certificate, authority)) return "another authority issued it";
  if (commonName(certificate) !== name) return `it is for "${commonName(certificate)}"`;
  // Runtimes write the same address in two ways.
  const names = (certificate.subjectAltName ?? "").replace("IP Address:::1", "IP Address:0:0:0:0:0:0:0:1").split(", ");
  const missing = [`DNS:${name}`, ...LOOPBACK_NAMES].filter((wanted) => !names.includes(wanted));
  if (missing.length > 0) return `it lacks the name ${missing.join(", ")}`;
  // Its issuer was checked, and issues nothing that holds these bytes elsewhere.
  const { raw } = certificate;
  if (!raw.includes(SERVER_AUTH) || !raw.includes(CLIENT_AUTH)) return "it is not for both server and client";
  return undefined;
}

/** Whether `authority` signed the certificate: names alone can be copied, so the signature is checked. */
export function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

/** The common name of the subject, or "". */
export function commonName(certificate: X509Certificate): string {
  for (const line of certificate.subject.split("\n")) {
    if (line.startsWith("CN=")) return line.slice(3);
  }
  return "";
}

/** Less than a third of the lifetime is left. */
export function isDue(certificate: X509Certificate, nowMs: number): boolean {
  const until = certificate.validToDate.getTime();
  return until - nowMs < (until - certificate.validFromDate.getTime()) / 3;
}
