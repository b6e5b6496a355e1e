import { Cli } from "./cli.ts";
import { addBackup } from "./commands/backup.ts";
import { addCall } from "./commands/call.ts";
import { addComplete } from "./commands/complete.ts";
import { addCompletion } from "./commands/completion.ts";
import { addDemo } from "./commands/demo.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addEvents } from "./commands/events.ts";
import { addHttp } from "./commands/http.ts";
import { addImport } from "./commands/import.ts";
import { addInit } from "./commands/init.ts";
import { addKv } from "./commands/kv.ts";
import { addLogs } from "./commands/logs.ts";
import { addMcp } from "./commands/mcp.ts";
import { addNew } from "./commands/new.ts";
import { addPlugins } from "./commands/plugins.ts";
import { addPrompts } from "./commands/prompts.ts";
import { addRestart } from "./commands/restart.ts";
import { addRestore } from "./commands/restore.ts";
import { addServe } from "./commands/serve.ts";
import { addStatus } from "./commands/status.ts";
import { addStop } from "./commands/stop.ts";
import { addTools } from "./commands/tools.ts";
import { addVersion } from "./commands/version.ts";
import type { Io } from "./io.ts";

/** In the order of the help text. */
const COMMANDS = [
  addServe,
  addMcp,
  addInit,
  addDemo,
  addStatus,
  addPlugins,
  addTools,
  addPrompts,
  addCall,
  addHttp,
  addLogs,
  addEvents,
  addKv,
  addBackup,
  addRestore,
  addImport,
  addRestart,
  addStop,
  addDoctor,
  addNew,
  addCompletion,
  addComplete,
  addVersion,
];

/** Runs the program with what it knows of the world. @returns the exit code */
export async function runProgram(io: Io): Promise<number> {
  const cli = new Cli(io);
  for (const add of COMMANDS) add(cli);
  cli.program.addHelpText(
    "after",
    `
Exit codes: 0 done, 1 failed, 2 wrong command line, 3 not found or no hub running, 4 the tool failed, 130 interrupted.`,
  );
  return cli.run();
}
