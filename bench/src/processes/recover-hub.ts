/**
 * A hub with one small plugin. Each line on stdin kills the plugin; the answer is how many milliseconds later a call of its tool
 * was answered again. The pause that the hub keeps before it starts a crashed plugin is left out: it is the operator's choice.
 */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { operatorPeer, request, startTestHub } from "@orchestrator/hub/testing";

const test = await startTestHub({
  plugins: [
    { id: "bench.echo", binary: join(import.meta.dirname, "echo-plugin.ts"), args: ["--id=bench.echo", "--tool=echo"] },
  ],
  restart: { when: "always", delaysMs: [0], maxCrashes: Number.POSITIVE_INFINITY },
});
const operator = await operatorPeer(test);
const value = { toolName: "echo", arguments: {}, callerPlugin: "", sessionId: "", provider: "", traceParent: "" };
const plugin = test.hub.plugins[0]!.supervised;

async function recovery(): Promise<number> {
  const { pid, starts } = plugin;
  const began = performance.now();
  process.kill(pid, "SIGKILL");
  while (plugin.starts === starts) await plugin.reached("starting");
  await plugin.reached("ready");
  const { response } = await request(operator, { $case: "toolCall", value });
  if (response?.$case !== "toolCall" || !response.value.success) throw new Error("The call failed");
  return performance.now() - began;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
createInterface({ input: process.stdin })
  .on("line", async () => process.stdout.write(`${await recovery()}\n`))
  .once("close", async () => {
    await test.stop();
    process.exit(0);
  });
process.stdout.write("ready\n");
