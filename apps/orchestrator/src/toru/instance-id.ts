import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** What became of the id of an installation. */
export type InstanceIdOutcome = "none" | "taken" | "same" | "kept";

/**
 * Takes over the id of an installation: licences of plugins may hang on it. An id that this one has already stays, unless
 * `overwrite` says otherwise.
 * @param file where the hub keeps its own
 */
export function takeInstanceId(
  file: string,
  id: string | undefined,
  options: { readonly overwrite: boolean; readonly dryRun: boolean },
): InstanceIdOutcome {
  if (id === undefined) return "none";
  const own = existsSync(file) ? readFileSync(file, "utf8").trim().toLowerCase() : undefined;
  if (own === id) return "same";
  if (own !== undefined && !options.overwrite) return "kept";
  if (options.dryRun) return "taken";
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  writeFileSync(draft, `${id}\n`, { mode: 0o600, flag: "wx", flush: true });
  if (own !== undefined) renameSync(draft, file);
  else {
    // Never over one that was made meanwhile.
    linkSync(draft, file);
    unlinkSync(draft);
  }
  return "taken";
}
