import { accessSync, constants, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { quicSupport } from "@orchestrator/transport-quic";
import { size } from "../output/text.ts";
import { type Check, fail, ok, warn } from "./check.ts";

const OLDEST_NODE = 24;
/** Below it a hub fails soon; below the second it is time to look. */
const LEAST_BYTES = 50 * 1024 * 1024;
const LOW_BYTES = 500 * 1024 * 1024;

export const checkRuntime: Check = () => {
  const deno = (process.versions as { deno?: string }).deno;
  if (deno !== undefined) return ok("runtime", `Deno ${deno}, ${process.platform}-${process.arch}`);
  const major = Number(process.versions.node.split(".")[0]);
  const detail = `Node ${process.versions.node}, ${process.platform}-${process.arch}, ${process.execPath}`;
  return major >= OLDEST_NODE ? ok("runtime", detail) : fail("runtime", detail, `Install Node ${OLDEST_NODE} or newer`);
};

export const checkQuic: Check = () => {
  const support = quicSupport();
  if (support.ok) return ok("QUIC", "the native part loads");
  return fail(
    "QUIC",
    support.reason,
    "Without it the hub does not listen for existing plugins; install again with optional dependencies",
  );
};

export const checkWorkspace: Check = ({ workspace }) => {
  const probe = join(workspace, `.orchestrator-doctor-${process.pid}`);
  try {
    accessSync(workspace, constants.R_OK | constants.X_OK);
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return fail(
      "workspace",
      `"${workspace}" cannot be written (${code})`,
      "Choose another one with --workspace, or mend its permissions",
    );
  }
  return ok("workspace", `${workspace} can be written`);
};

export const checkDisk: Check = ({ workspace }) => {
  const { bavail, bsize } = statfsSync(workspace);
  const free = bavail * bsize;
  const detail = `${size(free)} free for ${workspace}`;
  if (free < LEAST_BYTES) return fail("disk", detail, "Free some space: records and logs could not be written");
  return free < LOW_BYTES ? warn("disk", detail, "Free some space soon") : ok("disk", detail);
};
