import { writeSync } from "node:fs";
import process from "node:process";
import { defaultCertsDir, loadMaterial } from "@orchestrator/identity";
import { HubError } from "@orchestrator/protocol";
import { type Flags, HELP, parseFlags } from "./flags.ts";
import { runStdio } from "./run-stdio.ts";
import type { StdioLog } from "./serve-streams.ts";
import { VERSION } from "./server-info.ts";

/** The name in this client's certificate; hubs know it as that of a gateway. */
const CLIENT_NAME = "transport.stdio-client";

/**
 * The program. Exit codes: 0 the client is done or a signal came, 1 the hub or the certificates cannot be used, 2 wrong flags.
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  let flags: Flags;
  try {
    flags = parseFlags(args);
  } catch (reason) {
    note(`${HubError.from(reason).message}\n\n${HELP}`);
    return 2;
  }
  if (flags.show !== undefined) {
    process.stdout.write(flags.show === "version" ? `${VERSION}\n` : HELP);
    return 0;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
  // The client may stop listening to the log before it stops reading answers.
  process.stderr.on("error", () => {});
  try {
    const certsDir = flags.certsDir ?? defaultCertsDir();
    const end = await runStdio({
      address: flags.address,
      tls: () => loadMaterial(certsDir, CLIENT_NAME),
      input: process.stdin,
      output: process.stdout,
      log,
      callTimeoutMs: flags.callTimeoutMs,
      signal: stop.signal,
    });
    log("debug", `Done: ${end}`);
    return 0;
  } catch (reason) {
    note(
      `Cannot reach the hub at ${flags.address}: ${HubError.from(reason).message}\n` +
        'Start it with "orchestrator serve", or say where it is with --orchestrator-addr and --certs-dir',
    );
    return 1;
  }
}

/** Standard output belongs to the protocol, so everything for people goes to standard error, one line each. */
const log: StdioLog = (level, message) => {
  if (level !== "debug" || process.env["ORCHESTRATOR_LOG_LEVEL"] === "debug") {
    process.stderr.write(`transport.stdio: ${level}: ${message.replaceAll(/[\u0000-\u001f\u007f]+/g, " ")}\n`);
  }
};

/** Written at once: the process ends right after it. */
function note(message: string): void {
  try {
    writeSync(2, `transport.stdio: ${message}\n`);
  } catch {
    // Nobody listens.
  }
}
