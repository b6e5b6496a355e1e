import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { usage } from "../cli.ts";
import type { Io } from "../io.ts";
import { stateFile } from "./state-file.ts";

/**
 * The workspace that a command means: `--workspace`, else `ORCHESTRATOR_WORKSPACE`, else the working directory. Absolute.
 * @throws {CliError} usage, where there is no such directory
 */
export function chosenWorkspace(io: Io, option: string | undefined): string {
  const named = option ?? (io.env["ORCHESTRATOR_WORKSPACE"] || undefined);
  const workspace = resolve(io.cwd, named ?? ".");
  if (!statSync(workspace, { throwIfNoEntry: false })?.isDirectory()) {
    throw usage(`Cannot use workspace "${workspace}": there is no such directory`);
  }
  return workspace;
}

/** As `chosenWorkspace`, but from within a workspace the nearest directory upwards that has a hub counts. */
export function workspaceWithHub(io: Io, option: string | undefined): string {
  const chosen = chosenWorkspace(io, option);
  if (option !== undefined || io.env["ORCHESTRATOR_WORKSPACE"]) return chosen;
  for (let directory = chosen; ; directory = dirname(directory)) {
    if (statSync(stateFile(directory), { throwIfNoEntry: false })?.isFile()) return directory;
    if (directory === dirname(directory)) return chosen;
  }
}
