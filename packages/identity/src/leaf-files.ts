import { MINUTE_MS } from "./authority-files.ts";
import { isDue, type KeyPair, leafProblem, type TlsMaterial, validityProblem } from "./certificate.ts";
import type { Warn } from "./files.ts";
import { issueLeaf, type KeyAlgorithm } from "./issue.ts";
import { readPair, writePair } from "./pair-files.ts";

/** What issues leaves: the authority and how long they last. */
export interface Issuer {
  readonly pair: KeyPair;
  readonly algorithm: KeyAlgorithm;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly lifetimeMs: number;
  readonly warn: Warn;
}

export type LeafState =
  | { readonly state: "good"; readonly material: TlsMaterial }
  | { readonly state: "absent" }
  /** Works still, but less than a third of its lifetime is left. */
  | { readonly state: "due"; readonly material: TlsMaterial }
  | { readonly state: "bad"; readonly problem: string };

/** Looks at a leaf without touching it. */
export function inspectLeaf(directory: string, name: string, issuer: Issuer): LeafState {
  const stored = readPair(directory, name, issuer.warn);
  if (stored === undefined) return { state: "absent" };
  if ("problem" in stored) return { state: "bad", problem: stored.problem };
  const { certificate } = stored.pair;
  const now = issuer.now();
  const problem = leafProblem(certificate, name, issuer.pair.certificate) ?? validityProblem(certificate, now);
  if (problem !== undefined) return { state: "bad", problem };
  // A leaf never outlives its authority, so near the end of that a new one would gain nothing.
  const gains = leafUntil(issuer) - certificate.validToDate.getTime() > MINUTE_MS;
  return { state: gains && isDue(certificate, now) ? "due" : "good", material: material(stored.pair, issuer) };
}

/** Makes or replaces a leaf. Call it under the directory's lock. */
export async function writeLeaf(directory: string, name: string, issuer: Issuer): Promise<TlsMaterial> {
  const fromMs = issuer.now() - MINUTE_MS;
  const issued = await issueLeaf(issuer.pair, name, {
    fromMs,
    untilMs: leafUntil(issuer),
    algorithm: issuer.algorithm,
  });
  writePair(directory, name, issued);
  return material(issued, issuer);
}

export function leafUntil(issuer: Issuer): number {
  return Math.min(issuer.now() + issuer.lifetimeMs, issuer.pair.certificate.validToDate.getTime());
}

function material(pair: { readonly certPem: string; readonly keyPem: string }, issuer: Issuer): TlsMaterial {
  return { certPem: pair.certPem, keyPem: pair.keyPem, caPem: issuer.pair.certPem };
}
