/**
 * The door to every command: sets up node_modules where they are missing or out of step, then runs the command on the Node that
 * the repository pins. Plain JavaScript without dependencies, because it must run on a machine that has only git and Node 20.
 *
 *   node tools/bootstrap.mjs start [ARGS]          the demonstration
 *   node tools/bootstrap.mjs test [PACKAGE...]     the tests
 *   node tools/bootstrap.mjs orchestrator ARGS     the program, from its sources
 *   node tools/bootstrap.mjs run SCRIPT ARGS       any script of this repository
 *
 * Set-up speaks on stderr alone: stdout belongs to the command.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const OLDEST_NODE = 20;

const commands = {
  start: ["apps/orchestrator/src/main.ts", "demo"],
  test: ["tools/test.ts"],
  orchestrator: ["apps/orchestrator/src/main.ts"],
};

async function main([name, ...args]) {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < OLDEST_NODE)
    fail(`This needs Node ${OLDEST_NODE} or newer; here is ${process.version} (${process.execPath}).`);
  const command = name === "run" ? args.splice(0, 1) : commands[name];
  if (command === undefined || command.length === 0)
    fail(`Usage: node tools/bootstrap.mjs ${Object.keys(commands).join(" | ")} | run SCRIPT [ARGS]`);
  // Imported late: on a Node that is too old the reader deserves the sentence above, not a missing function.
  const { install } = await import("./install.mjs");
  await install(root);
  const [script, ...before] = command;
  const file = join(root, script);
  if (!existsSync(file)) fail(`${script} does not exist.`);
  run(pinnedNode(), [file, ...before, ...args], name === "orchestrator" ? callerDirectory() : root);
}

/** The binary of the `node` dev dependency. */
function pinnedNode() {
  const file = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");
  if (!existsSync(file)) fail(`${file} is missing; remove node_modules and try again.`);
  return file;
}

/** Where the user stood: `npm run` changes to the directory of package.json before it runs a script. */
function callerDirectory() {
  const { INIT_CWD: directory, npm_lifecycle_event: script } = process.env;
  return script !== undefined && directory !== undefined && existsSync(directory) ? directory : process.cwd();
}

/** Runs a command in place of this one: same streams, signals passed on, same end. */
function run(file, args, cwd) {
  const child = spawn(file, args, { cwd, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    process.on(signal, () => {
      // A terminal sends its interrupt to the whole group: passed on it would arrive twice, and twice means "at once" to many.
      const fromTerminal = (signal === "SIGINT" || signal === "SIGQUIT") && process.stdin.isTTY;
      if (!fromTerminal) child.kill(signal);
    });
  }
  if (process.env["npm_lifecycle_event"] !== undefined) stopWithParent(child);
  child.on("error", (error) => fail(`Cannot run ${file}: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // Where the signal does not end this process (it is ignored, or is not known here), the shell's number says the same.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
  });
}

/**
 * npm runs scripts in a shell and hands signals to that shell alone, which dies of them without a word to us: that our parent
 * has changed is then the only sign.
 */
function stopWithParent(child) {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) child.kill("SIGTERM");
  }, 500).unref();
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

await main(process.argv.slice(2)).catch((error) => fail(error instanceof Error ? error.message : String(error)));
