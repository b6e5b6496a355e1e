/** A hub with a healthy plugin, one that calls it, and a crowd of others that do everything wrong. Says where it is as JSON. */
import { join } from "node:path";
import { startTestHub } from "@orchestrator/hub/testing";
import { DEFAULT_RESTART } from "../../../packages/supervisor/src/backoff.ts";
import { obeyLines } from "./lines.ts";
import { FAULTS } from "./storm.ts";

const program = (name: string) => join(import.meta.dirname, name);
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
const { socketAddress } = test.hub;
obeyLines(JSON.stringify({ socketAddress, certs: test.authority.directory }), () => test.stop());
