/**
 * A chain of the existing programs, all of them in Go: their orchestrator with tools.features and storage.markdown. Arguments: the
 * directory with the programs, a directory of its own. Says where the orchestrator is as JSON.
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { obeyLines } from "./lines.ts";

const [programs = "", directory = ""] = process.argv.slice(2);
const certs = join(directory, "certs");
const plugin = (id: string, name: string, more: object = {}) => ({
  id,
  binary: join(programs, name),
  enabled: true,
  ...more,
});
const config = {
  listen_addr: "localhost:0",
  tcp_addr: "localhost:0",
  certs_dir: certs,
  plugins: [
    plugin("storage.markdown", "storage-markdown", {
      args: [`--workspace=${directory}`],
      provides_storage: ["markdown"],
    }),
    plugin("tools.features", "tools-features"),
  ],
};
// JSON is YAML.
writeFileSync(join(directory, "plugins.yaml"), JSON.stringify(config));
const child = spawn(join(programs, "orchestrator"), [`--config=${join(directory, "plugins.yaml")}`], {
  stdio: ["ignore", "ignore", "pipe"],
});
const pids: number[] = [];
let address = "";
let registered = 0;
let isEnding = false;
child.once("error", (error) => fail(error.message));
child.once("exit", (code, signal) => {
  if (!isEnding) fail(`it ended (${signal ?? `code ${code}`})`);
});
createInterface({ input: child.stderr }).on("line", (line) => {
  address = / orchestrator listening on (\S+)/.exec(line)?.[1] ?? address;
  const pid = /started plugin .*\(pid=(\d+)\)/.exec(line)?.[1];
  if (pid !== undefined) pids.push(Number(pid));
  if (line.includes("failed to start plugin")) fail(line);
  if (line.includes("registered with router") && ++registered === config.plugins.length)
    obeyLines(JSON.stringify({ address, certs }), end);
});

function fail(why: string): void {
  console.error(`The Go chain cannot be measured: ${why}`);
  end();
  process.exit(1);
}

/** At once: asked politely, that orchestrator waits minutes for plugins that it has killed; killed alone, it leaves them behind. */
function end(): void {
  isEnding = true;
  child.kill("SIGKILL");
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {} // gone already
  }
}
