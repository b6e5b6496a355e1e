import { rmSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { emptyCgroups, removeCgroups } from "../limits/cgroup-files.ts";
import { liveness, ownIdentity, type ProcessIdentity } from "../processes/process-identity.ts";
import { readStat } from "../processes/process-stat.ts";
import { processIds } from "./find-marked.ts";
import { GUARDIAN_VARIABLE } from "./hub-mark.ts";
import { killAll } from "./kill-all.ts";
import { isSocket, type RunRecord, readRecords, recordPath, stampOf } from "./run-record.ts";

/** What was cleaned up, for one line of the log. */
export interface SweepReport {
  /** Hubs that had ended without cleaning up. */
  readonly hubs: number;
  readonly processes: number;
  readonly files: number;
  /** What could not be ended or removed, one sentence each. */
  readonly problems: readonly string[];
}

/** Records of machines and containers that cannot be judged from here are kept this long. */
const UNKNOWN_MS = 30 * 86_400_000;

/**
 * Cleans up after hubs that were killed, or lost their machine's power: ends what they had started and removes sockets, locks and
 * control groups. A process is one of theirs by the mark that it carries, never by its id; a file by what it was when the hub made
 * it. What belongs to a hub that lives is not touched. A guardian that is still at work is relieved: when this resolves, nothing
 * of the old hubs acts any more, so call it before anything is made anew.
 * @param stateDir the directory that hubs were given as theirs
 */
export async function sweepLeftovers(stateDir: string): Promise<SweepReport> {
  const own = ownIdentity();
  const { records, broken } = readRecords(stateDir);
  const problems: string[] = [];
  for (const path of broken) removed(path, problems);
  const reports: SweepReport[] = [];
  for (const record of records) {
    const state = liveness(record.hub, own);
    if (state === "dead") reports.push(await sweepHub(record, own, stateDir));
    else if (state === "unknown" && isForgotten(recordPath(stateDir, record.token)))
      removed(recordPath(stateDir, record.token), problems);
  }
  return {
    hubs: reports.length,
    processes: reports.reduce((sum, report) => sum + report.processes, 0),
    files: reports.reduce((sum, report) => sum + report.files, 0),
    problems: [...problems, ...reports.flatMap((report) => report.problems)],
  };
}

async function sweepHub(record: RunRecord, own: ProcessIdentity, stateDir: string): Promise<SweepReport> {
  const problems: string[] = [];
  let processes = 0;
  // After a boot there is nothing to look for.
  if (record.hub.boot === own.boot) {
    await endGuardian(record.token);
    emptyCgroups(record.cgroups, record.token);
    const { killed, left, unseen } = await killAll(record);
    processes = killed;
    if (unseen !== undefined) problems.push(`It cannot be seen what a hub that is gone has left: ${unseen.message}`);
    for (const { pid } of left) problems.push(`Process ${pid} of a hub that is gone cannot be ended`);
  }
  let files = 0;
  for (const { path, stamp } of record.files) {
    if (stampOf(path) === stamp && removed(path, problems)) files += 1;
  }
  for (const path of record.sockets) {
    if (isSocket(path) && removed(path, problems)) files += 1;
  }
  await removeCgroups(record.cgroups, record.token);
  if (problems.length === 0) removed(recordPath(stateDir, record.token), problems);
  return { hubs: 1, processes, files, problems };
}

/** Whether it is gone. What cannot be removed is told, and is no reason for a hub not to start. */
function removed(path: string, problems: string[]): boolean {
  try {
    rmSync(path, { force: true });
    return true;
  } catch (error) {
    problems.push(`"${path}" of a hub that is gone cannot be removed: ${(error as Error).message}`);
    return false;
  }
}

/** Ends the guardian of a dead hub and waits until it is gone: what it would do is done here, and nothing twice or too late. */
async function endGuardian(token: string): Promise<void> {
  for (const pid of await processIds()) {
    const startTime = readStat(pid)?.startTime;
    const environ = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
    if (!environ.split("\0").includes(`${GUARDIAN_VARIABLE}=${token}`)) continue;
    // Also the `grep` or `sleep` that it runs at this moment.
    while (startTime !== undefined && readStat(pid)?.startTime === startTime && readStat(pid)?.state !== "Z") {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        break;
      }
      await sleep(1);
    }
  }
}

function isForgotten(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > UNKNOWN_MS;
}
