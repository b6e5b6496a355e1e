import { createPrivateKey, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { openAuthority } from "./authority.ts";
import { isDue, isIssuedBy, type TlsMaterial, validityProblem } from "./certificate.ts";
import { readSmallFile } from "./files.ts";
import { checkLeafName, expandHome } from "./names.ts";
import { readSettledPair, type StoredPair } from "./pair-files.ts";

/**
 * The plugin's or client's side: reads `<dir>/<name>.crt|.key` and `<dir>/ca.crt`. Where the pair is missing or has run out
 * and `<dir>/ca.key` is the authority's real key (a directory that hub and plugins share), it makes the pair itself.
 * @throws {HubError} `NOT_FOUND` without a pair or an authority, `FAILED_PRECONDITION` for one that cannot be used
 */
export async function loadMaterial(dir: string, name: string): Promise<TlsMaterial> {
  const directory = expandHome(dir);
  checkLeafName(name);
  const authority = readAuthorityCertificate(directory);
  const stored = await readSettledPair(directory, name);
  const problem = pairProblem(stored, authority);
  const due = stored !== undefined && "pair" in stored && isDue(stored.pair.certificate, Date.now());
  if ((problem !== undefined || due) && hasRealKey(directory, authority))
    return (await openAuthority(directory)).leaf(name);
  if (stored !== undefined && "pair" in stored && problem === undefined) {
    return { certPem: stored.pair.certPem, keyPem: stored.pair.keyPem, caPem: authority.toString() };
  }
  const advice =
    "and ca.key there is not the authority's key, so none can be made here; the hub makes the certificates of a plugin " +
    "under the id of its manifest: start the plugin through the hub, or restart the hub to renew them";
  if (stored === undefined) {
    throw new HubError(ErrorCode.NotFound, `Cannot find certificate "${name}" in "${directory}", ${advice}`);
  }
  throw new HubError(
    ErrorCode.FailedPrecondition,
    `Cannot use certificate "${name}" in "${directory}": ${problem}, ${advice}`,
  );
}

function readAuthorityCertificate(directory: string): X509Certificate {
  const path = join(directory, "ca.crt");
  const text = readSmallFile(path);
  if (text === undefined) {
    throw new HubError(
      ErrorCode.NotFound,
      `Cannot find a certificate authority: there is no "${path}"; start the hub once, or name the right directory with --certs-dir`,
    );
  }
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw new HubError(ErrorCode.FailedPrecondition, `Cannot read certificate "${path}": it is damaged`, {
      cause: error,
    });
  }
}

function pairProblem(stored: StoredPair, authority: X509Certificate): string | undefined {
  if (stored === undefined) return "it is missing";
  if ("problem" in stored) return stored.problem;
  if (!isIssuedBy(stored.pair.certificate, authority)) return "another authority issued it";
  return validityProblem(stored.pair.certificate, Date.now());
}

function hasRealKey(directory: string, authority: X509Certificate): boolean {
  try {
    const text = readSmallFile(join(directory, "ca.key"));
    return text !== undefined && authority.checkPrivateKey(createPrivateKey(text));
  } catch {
    return false;
  }
}
