import { createPrivateKey } from "node:crypto";
import { join } from "node:path";
import type { KeyPair } from "./certificate.ts";
import { readOwnFile, type Warn, writePrivateFile } from "./files.ts";
import { decoyKeyPem } from "./issue.ts";

/**
 * Puts the authority's certificate and a decoy key into a plugin's directory. Programs of this family load `ca.key` before
 * anything else and give up without it, but sign only the pairs that are missing; so they get a key of the right form that
 * belongs to no certificate. Call it under the directory's lock.
 */
export async function fillPluginDirectory(directory: string, authority: KeyPair, warn: Warn): Promise<void> {
  const certPath = join(directory, "ca.crt");
  if (readOwnFile(certPath, warn) !== authority.certPem) writePrivateFile(certPath, authority.certPem);
  const keyPath = join(directory, "ca.key");
  const problem = decoyProblem(readOwnFile(keyPath, warn), authority);
  if (problem === undefined) return;
  if (problem !== "") warn(`Key "${keyPath}" was replaced: ${problem}`);
  writePrivateFile(keyPath, await decoyKeyPem());
}

/** @returns undefined for a decoy that serves, "" for none, else what is wrong with what is there */
function decoyProblem(keyText: string | undefined, authority: KeyPair): string | undefined {
  if (keyText === undefined) return "";
  try {
    if (authority.certificate.checkPrivateKey(createPrivateKey(keyText))) {
      return "it was the authority's own key, which a plugin must never have";
    }
    return keyText.startsWith("-----BEGIN PRIVATE KEY-----") ? undefined : "it was not PKCS#8";
  } catch {
    return "it was damaged";
  }
}
