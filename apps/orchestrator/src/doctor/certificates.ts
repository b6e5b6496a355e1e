import { createPrivateKey, X509Certificate } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, type Stats } from "node:fs";
import { join } from "node:path";
import { type Check, type Finding, fail, ok, warn } from "./check.ts";
import { configOf } from "./config.ts";
import { cannotMake, laxMode } from "./directories.ts";

const DAY_MS = 86_400_000;
const SOON_MS = 30 * DAY_MS;
const NAME = "certificates";

/** Looks only: nothing is made or mended here, so that what is reported is what is there. */
export const checkCertificates: Check = async (patient) => {
  const config = await configOf(patient);
  const directory = patient.certsDir ?? config?.certsDir;
  if (directory === undefined) return [];
  const stat = statOf(directory);
  if (stat === undefined) {
    const problem = cannotMake(directory);
    if (problem === undefined) return ok(NAME, `none in ${directory} yet; the first start makes them`);
    return fail(NAME, `${directory} cannot be made: ${problem}`, "Mend that, or name another one with --certs-dir");
  }
  if (!stat.isDirectory())
    return fail(NAME, `"${directory}" is no directory`, "Remove it, or name another one with --certs-dir");
  const modes = checkModes(directory, stat.mode);
  return [...modes, ...authority(directory)];
};

/** undefined where there is nothing, or nothing can be seen. */
function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

function checkModes(directory: string, mode: number): readonly Finding[] {
  if (process.platform === "win32") return [];
  const lax = laxMode(NAME, directory, mode);
  if (lax.length > 0) return lax;
  return readdirSync(directory)
    .map((file) => join(directory, file))
    .filter((path) => path.endsWith(".key") && (lstatSync(path).mode & 0o077) !== 0)
    .map((path) => fail(NAME, `others can read ${path}`, `Run: chmod 600 "${path}"`));
}

function authority(directory: string): readonly Finding[] {
  const read = (file: string): Buffer | undefined => {
    try {
      return readFileSync(join(directory, file));
    } catch {
      return undefined;
    }
  };
  const [certificate, key] = [read("ca.crt"), read("ca.key")];
  if (certificate === undefined && key === undefined)
    return [ok(NAME, `no authority in ${directory} yet; the first start makes one`)];
  const repair =
    "Put the right ca.crt and ca.key back, or move both away: the next start makes a new authority and all certificates with it";
  if (certificate === undefined || key === undefined)
    return [fail(NAME, `${certificate === undefined ? "ca.crt" : "ca.key"} is missing in ${directory}`, repair)];
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(key)))
      return [fail(NAME, `ca.key does not belong to ca.crt in ${directory}`, repair)];
  } catch (error) {
    return [fail(NAME, `ca.crt or ca.key in ${directory} is damaged: ${(error as Error).message}`, repair)];
  }
  const until = parsed.validToDate;
  const detail = `authority in ${directory} is valid until ${until.toISOString().slice(0, 10)}`;
  if (until.getTime() < Date.now())
    return [fail(NAME, `the authority in ${directory} expired at ${until.toISOString()}`, repair)];
  if (until.getTime() - Date.now() < SOON_MS)
    return [warn(NAME, detail, "Before then stop every hub, and move ca.crt and ca.key away")];
  return [ok(NAME, detail)];
}
