/** The program's door for other programs and tests. @module */
export { ExitCode } from "./exit-code.ts";
export type { Io } from "./io.ts";
export { runProgram } from "./run-program.ts";
