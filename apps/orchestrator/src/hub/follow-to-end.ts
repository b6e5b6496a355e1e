import { setTimeout as sleep } from "node:timers/promises";
import type { Io } from "../io.ts";
import type { Reporter } from "../output/reporter.ts";
import type { HubClient } from "./hub-client.ts";

/** How long the end of the link may come after the failure that it causes. */
const END_MS = 1_000;

/**
 * Follows something of the hub until an interrupt, or until the hub is gone, which is said: both are how following ends.
 * @param mayBeEnd whether a failure may come from the end of the hub; by default any may
 */
export async function followToEnd(
  hub: HubClient,
  { io, report }: { readonly io: Io; readonly report: Reporter },
  follow: () => Promise<void>,
  mayBeEnd: (error: unknown) => boolean = () => true,
): Promise<void> {
  try {
    await follow();
  } catch (error) {
    if (io.signal.aborted) return;
    const gone = await Promise.race([hub.closed.then(() => true), sleep(END_MS, false, { ref: false })]);
    if (!gone || !mayBeEnd(error)) throw error;
    report.note("The hub has stopped");
  }
}
