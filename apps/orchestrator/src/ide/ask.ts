import { isCancel, multiselect } from "@clack/prompts";
import { CliError, ExitCode } from "../exit-code.ts";
import type { Io } from "../io.ts";
import { TARGETS, type Target } from "./targets.ts";

/** Asks on the terminal which clients to set up, with those found here ticked. */
export async function askForTargets(detected: readonly Target[], io: Io): Promise<readonly Target[]> {
  const chosen = await multiselect({
    message: "Which AI clients shall start this program?",
    options: TARGETS.map((target) => ({
      value: target.id,
      label: target.label,
      ...(detected.includes(target) ? { hint: "found here" } : {}),
    })),
    initialValues: detected.map((target) => target.id),
    required: true,
    input: io.stdin,
    output: io.stdout,
    signal: io.signal,
  });
  if (isCancel(chosen)) throw new CliError(ExitCode.Interrupted, "Cancelled; nothing was written");
  return TARGETS.filter((target) => chosen.includes(target.id));
}
