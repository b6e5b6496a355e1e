/**
 * A hub with a healthy plugin and a crowd of others that do everything wrong. `storm` on stdin starts calling the others without
 * end, `calm` stops that; each is answered when it is so. Says where it is as JSON.
 */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { operatorPeer, request, startTestHub } from "@orchestrator/hub/testing";
import { DEFAULT_RESTART } from "../../../packages/supervisor/src/backoff.ts";

const program = (name: string) => join(import.meta.dirname, name);
const FAULTS = ["crash", "hang", "garbage", "flood"];
const test = await startTestHub({
  plugins: [
    { id: "bench.fd", binary: program("echo-plugin.ts"), args: ["--id=bench.fd", "--tool=echo"] },
    { id: "bench.driver", binary: program("driver-plugin.ts"), args: ["--id=bench.driver", "--tool=drive"] },
    ...FAULTS.map((fault) => ({
      id: `bench.${fault}`,
      binary: program("faulty-plugin.ts"),
      args: [`--id=bench.${fault}`, `--tool=${fault}`, `--fault=${fault}`],
    })),
  ],
  // As in daily life: a plugin that crashes all the time is not started all the time.
  restart: { ...DEFAULT_RESTART, when: "always", maxCrashes: Number.POSITIVE_INFINITY },
});
await test.authority.leaf("orchestrator-gateway");
const operator = await operatorPeer(test);
let storm = false;
let over = Promise.resolve<unknown>(undefined);

async function blow(toolName: string): Promise<void> {
  const value = { toolName, arguments: {}, callerPlugin: "", sessionId: "", provider: "", traceParent: "" };
  while (storm) {
    await request(operator, { $case: "toolCall", value }, { timeoutMs: 20 });
    // A thousand calls per second of each: what is measured is the hub, not how much a machine can do at once.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
createInterface({ input: process.stdin })
  .on("line", async (line) => {
    storm = line === "storm";
    if (storm) over = Promise.all(FAULTS.map(blow));
    else await over;
    process.stdout.write(`${line}\n`);
  })
  .once("close", async () => {
    storm = false;
    await over;
    await test.stop();
    process.exit(0);
  });
const { address, socketAddress } = test.hub;
process.stdout.write(`${JSON.stringify({ address, socketAddress, certs: test.authority.directory })}\n`);
