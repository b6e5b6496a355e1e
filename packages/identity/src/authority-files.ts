import { existsSync } from "node:fs";
import { join } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type KeyPair, parsePair, validityProblem } from "./certificate.ts";
import { commitNewFile, readOwnFile, stageFile, type Warn } from "./files.ts";
import { authorityAlgorithm, issueAuthority, type KeyAlgorithm } from "./issue.ts";
import { readPair, readSettledPair, type StoredPair } from "./pair-files.ts";

export interface AuthorityFileOptions {
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly lifetimeMs: number;
  readonly warn: Warn;
}

export const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;
/** From then on the operator is told at every start that the authority ends. */
const AUTHORITY_WARNING_MS = 30 * DAY_MS;

/** The authority of a directory, if a whole and valid one is there. Touches nothing and needs no lock. */
export function findAuthority(directory: string, options: AuthorityFileOptions): KeyPair | undefined {
  const stored = readPair(directory, "ca", options.warn);
  if (stored === undefined || "problem" in stored) return undefined;
  return checked(directory, stored.pair, options);
}

/**
 * Loads the authority, or makes the first one. Half an authority is never completed or replaced by a new one: every
 * certificate out there would stop working, silently. Call it under the directory's lock.
 * @throws {HubError} `FAILED_PRECONDITION` for a half, damaged, mismatched or expired authority; the message says what to do
 */
export async function loadOrCreateAuthority(
  directory: string,
  algorithm: KeyAlgorithm,
  options: AuthorityFileOptions,
): Promise<KeyPair> {
  let stored = await readSettled(directory, options.warn);
  if (stored === undefined) {
    const fromMs = options.now() - MINUTE_MS;
    const issued = await issueAuthority(algorithm, { fromMs, untilMs: options.now() + options.lifetimeMs });
    const key = stageFile(join(directory, "ca.key"), issued.keyPem, staged(directory, "ca.key"));
    const cert = stageFile(join(directory, "ca.crt"), issued.certPem, staged(directory, "ca.crt"));
    // Never over an existing file: a program that knows nothing of our lock may have been faster.
    if (commitNewFile(key, join(directory, "ca.key"))) commitNewFile(cert, join(directory, "ca.crt"));
    stored = await readSettled(directory, options.warn);
  }
  if (stored !== undefined && "pair" in stored) return checked(directory, stored.pair, options);
  throw unusable(directory, stored?.problem ?? "it vanished while it was being read");
}

async function readSettled(directory: string, warn: Warn): Promise<StoredPair> {
  finishInterrupted(directory, warn);
  return readSettledPair(directory, "ca", warn);
}

/** We were killed between showing ca.key and showing ca.crt: the certificate that belongs to it is still staged. */
function finishInterrupted(directory: string, warn: Warn): void {
  const certPath = join(directory, "ca.crt");
  if (existsSync(certPath)) return;
  const keyText = readOwnFile(join(directory, "ca.key"), warn);
  const certText = readOwnFile(staged(directory, "ca.crt"), warn);
  if (keyText === undefined || certText === undefined || typeof parsePair(certText, keyText) === "string") return;
  commitNewFile(staged(directory, "ca.crt"), certPath);
}

function staged(directory: string, file: string): string {
  return join(directory, `.${file}.new`);
}

function checked(directory: string, pair: KeyPair, options: AuthorityFileOptions): KeyPair {
  if (!pair.certificate.ca) throw unusable(directory, "ca.crt is not the certificate of an authority");
  if (authorityAlgorithm(pair.privateKey) === undefined) {
    throw unusable(
      directory,
      `its key is ${pair.privateKey.asymmetricKeyType}, only Ed25519 and ECDSA P-256 are supported`,
    );
  }
  const problem = validityProblem(pair.certificate, options.now());
  if (problem !== undefined) throw unusable(directory, problem);
  const until = pair.certificate.validToDate;
  if (until.getTime() - options.now() < AUTHORITY_WARNING_MS) {
    options.warn(
      `The certificate authority in "${directory}" expires at ${until.toISOString()}. Before then stop everything that uses ` +
        "it, move ca.crt and ca.key away, and start again: a new one is made, and all certificates with it",
    );
  }
  return pair;
}

function unusable(directory: string, problem: string): HubError {
  return new HubError(
    ErrorCode.FailedPrecondition,
    `Cannot use the certificate authority in "${directory}": ${problem}. Put the right ca.crt and ca.key back, or stop ` +
      "everything that uses them, move both away and start again: a new authority is made, and all certificates with it",
  );
}
