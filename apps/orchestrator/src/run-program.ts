import { Cli } from "./cli.ts";
import { addCompletion } from "./commands/completion.ts";
import { addInit } from "./commands/init.ts";
import { addVersion } from "./commands/version.ts";
import type { Io } from "./io.ts";

/** Runs the program with what it knows of the world. @returns the exit code */
export async function runProgram(io: Io): Promise<number> {
  const cli = new Cli(io);
  for (const add of [addInit, addCompletion, addVersion]) add(cli);
  cli.program.addHelpText(
    "after",
    `
Exit codes: 0 done, 1 failed, 2 wrong command line, 3 not found or no hub running, 4 the tool failed, 130 interrupted.`,
  );
  return cli.run();
}
