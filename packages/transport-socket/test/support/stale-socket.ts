import { spawn } from "node:child_process";
import { once } from "node:events";

/** Leaves a socket behind as a process does that is killed while it listens. */
export async function leaveSocket(path: string): Promise<void> {
  const code = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  await once(spawn(process.execPath, ["-e", code], { stdio: "ignore" }), "exit");
}
