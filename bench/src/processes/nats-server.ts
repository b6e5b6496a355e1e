/** Starts a NATS server and ends it with itself; `cpu` asks for the server's CPU time. Arguments: the program, a directory. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { cpuMsOf } from "../paths/process-figures.ts";

const [program = "", directory = ""] = process.argv.slice(2);
const server = spawn(program, ["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", directory], { stdio: "ignore" });
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
server.once("exit", () => process.exit(1));
const file = join(directory, `nats-server_${server.pid}.ports`);
const watcher = watch(directory);
while (!existsSync(file) || readFileSync(file, "utf8").trim() === "") await once(watcher, "change");
watcher.close();
const ports = JSON.parse(readFileSync(file, "utf8")) as { nats: string[] };

createInterface({ input: process.stdin })
  .on("line", () => process.stdout.write(`${cpuMsOf(server.pid!) * 1_000}\n`))
  .once("close", () => {
    server.removeAllListeners("exit").once("exit", () => process.exit(0));
    server.kill("SIGTERM");
  });
process.stdout.write(`${ports.nats[0]!.replace("nats://", "")}\n`);
