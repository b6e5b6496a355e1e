import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type KeyPair, parsePair } from "./certificate.ts";
import { commitFile, readOwnFile, readSmallFile, stageFile, type Warn } from "./files.ts";
import type { IssuedPair } from "./issue.ts";

/** What is on disk for one name: nothing, a working pair, or in words why it is none. */
export type StoredPair = { readonly pair: KeyPair } | { readonly problem: string } | undefined;

/** Reads `<name>.crt` and `<name>.key`. With `warn` the directory is ours: links are refused, lax modes are mended. */
export function readPair(directory: string, name: string, warn?: Warn): StoredPair {
  const certPath = join(directory, `${name}.crt`);
  const keyPath = join(directory, `${name}.key`);
  const certText = warn === undefined ? readSmallFile(certPath) : readOwnFile(certPath, warn);
  const keyText = warn === undefined ? readSmallFile(keyPath) : readOwnFile(keyPath, warn);
  if (certText === undefined && keyText === undefined) return undefined;
  if (certText === undefined) return { problem: `"${certPath}" is missing` };
  if (keyText === undefined) return { problem: `"${keyPath}" is missing` };
  const pair = parsePair(certText, keyText);
  return typeof pair === "string" ? { problem: pair } : { pair };
}

/**
 * As `readPair`, for a pair that another program may be writing at this moment: the two files cannot change in one step, and
 * other programs of this family write them in place. Looks again for up to a quarter of a second before it reports a problem.
 */
export async function readSettledPair(directory: string, name: string, warn?: Warn): Promise<StoredPair> {
  let stored = readPair(directory, name, warn);
  for (let tries = 0; tries < 10 && stored !== undefined && "problem" in stored; tries++) {
    await sleep(25);
    stored = readPair(directory, name, warn);
  }
  return stored;
}

/** Replaces a pair. Both files are complete and durable before the first is shown, so that a full disk changes nothing. */
export function writePair(directory: string, name: string, issued: IssuedPair): void {
  const keyPath = join(directory, `${name}.key`);
  const certPath = join(directory, `${name}.crt`);
  const staged: string[] = [];
  try {
    staged.push(stageFile(keyPath, issued.keyPem));
    staged.push(stageFile(certPath, issued.certPem));
    commitFile(staged[0]!, keyPath);
    commitFile(staged[1]!, certPath);
  } catch (error) {
    for (const path of staged) rmSync(path, { force: true });
    throw error;
  }
}
