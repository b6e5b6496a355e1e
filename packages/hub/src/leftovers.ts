import { sweepLeftovers } from "@orchestrator/supervisor";
import type { HubLog } from "./hub-log.ts";

/** Cleans up after hubs that shared the state directory and were killed, and tells of it. */
export async function cleanUpLeftovers(stateDir: string, log: HubLog): Promise<void> {
  const { hubs, processes, files, problems } = await sweepLeftovers(stateDir);
  if (hubs > 0) {
    const what = `${processes} processes and ${files} files`;
    log.write("info", "hub", `Cleaned up after a hub that did not end in order: ${what}`);
  }
  for (const problem of problems) log.write("warn", "hub", problem);
}
