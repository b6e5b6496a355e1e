import { accessSync, constants, lstatSync, type Stats, statSync } from "node:fs";
import type { HubError } from "@orchestrator/protocol";
import { inspectStore } from "@orchestrator/store";
import { findHub } from "../hub/state-file.ts";
import { size } from "../output/text.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import { configOf } from "./config.ts";
import { cannotMake, cannotWrite, laxMode, room } from "./directories.ts";

const NAME = "state";
const ELSEWHERE = "Mend that, or name another directory as state_dir in the configuration";

/** Where the hub keeps what it must remember. */
export const checkState: Check = async (patient) => {
  const directory = (await configOf(patient))?.stateDir;
  if (directory === undefined) return [];
  const stat = statOf(directory);
  if (stat === undefined) {
    if (isLink(directory)) return fail(NAME, `"${directory}" is a link to what is not there`, ELSEWHERE);
    const problem = cannotMake(directory);
    if (problem !== undefined) return fail(NAME, `${directory} cannot be made: ${problem}`, ELSEWHERE);
    return room(NAME, directory, `${directory}, which the first start makes`);
  }
  if (!stat.isDirectory()) return fail(NAME, `"${directory}" is no directory`, ELSEWHERE);
  const problem = cannotWrite(directory);
  if (problem !== undefined) return fail(NAME, problem, ELSEWHERE);
  const free = room(NAME, directory);
  const lax = laxMode(NAME, directory, stat.mode);
  return lax.length > 0 && free.status === "ok" ? lax : [...lax, free];
};

/** The database, and who has it. */
export const checkDatabase: Check = async (patient) => {
  const file = (await configOf(patient))?.store.file;
  if (file === undefined) return [];
  try {
    const found = inspectStore(file);
    const problem = cannotMake(file) ?? (found.is === "absent" ? undefined : cannotChange(file));
    if (problem !== undefined) return fail("database", `${file} cannot be used: ${problem}`, ELSEWHERE);
    if (found.is === "absent") return ok("database", `none at ${file} yet; the first start makes it`);
    const detail = `${file} opens, ${size(found.bytes)}`;
    if (found.is === "free") return ok("database", detail);
    const own = findHub(patient.workspace);
    if (own.is === "running" && (found.holder === undefined || found.holder === own.state.pid)) {
      return ok("database", `${detail}, and is in use by this workspace's hub`);
    }
    const holder = found.holder === undefined ? "another process" : `process ${found.holder}`;
    const hint = "Two hubs cannot share one: stop the other one, or give this workspace a state_dir of its own";
    return fail("database", `${file} is in use by ${holder}, which is not this workspace's hub`, hint);
  } catch (error) {
    const { code, message } = error as HubError;
    const [what, ...rest] = message.split(". ");
    const hint = rest.join(". ") || "Look after the disk, and who may read the file";
    // Whoever holds it may let go.
    return code === "UNAVAILABLE" ? warn("database", what!, hint) : fail("database", what!, hint);
  }
};

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

function cannotChange(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return `it cannot be written (${(error as NodeJS.ErrnoException).code})`;
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
