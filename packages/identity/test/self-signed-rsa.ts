import type { KeyObject } from "node:crypto";
import forge from "node-forge";

/** An authority with an RSA key, as other tools make them. */
export async function selfSignedRsa(keys: { privateKey: KeyObject; publicKey: KeyObject }) {
  const keyPem = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(keys.publicKey.export({ type: "spki", format: "pem" }).toString());
  certificate.serialNumber = "01";
  certificate.validity.notBefore = new Date(Date.now() - 60_000);
  certificate.validity.notAfter = new Date(Date.now() + 86_400_000);
  certificate.setSubject([{ name: "commonName", value: "RSA" }]);
  certificate.setIssuer([{ name: "commonName", value: "RSA" }]);
  certificate.setExtensions([{ name: "basicConstraints", cA: true }]);
  certificate.sign(forge.pki.privateKeyFromPem(keyPem), forge.md.sha256.create());
  return { certPem: forge.pki.certificateToPem(certificate), keyPem };
}
