import { quicSupport } from "@orchestrator/transport-quic";
import { type Check, fail, ok } from "./check.ts";
import { cannotWrite, room } from "./directories.ts";

const OLDEST_NODE = 24;

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
  const problem = cannotWrite(workspace);
  if (problem === undefined) return ok("workspace", `${workspace} can be written`);
  return fail("workspace", problem, "Choose another one with --workspace, or mend its permissions");
};

export const checkDisk: Check = ({ workspace }) => room("disk", workspace);
