/** A hub in a process of its own with an echo plugin on each carrier and a plugin that calls; says where it is as JSON. */
import { join } from "node:path";
import { startTestHub } from "@orchestrator/hub/testing";
import { obeyLines } from "./lines.ts";

const program = (name: string) => join(import.meta.dirname, name);
const echo = (id: string, tool: string, ...more: string[]) => ({
  id,
  binary: program("echo-plugin.ts"),
  args: [`--id=${id}`, `--tool=${tool}`, ...more],
  max_calls_in_flight: 100_000,
});
const test = await startTestHub({
  plugins: [
    echo("bench.fd", "echo_via_fd"),
    echo("bench.quic", "echo_quic_x", "--carrier=quic"),
    { id: "bench.driver", binary: program("driver-plugin.ts"), args: ["--id=bench.driver", "--tool=drive"] },
  ],
});
await test.authority.leaf("orchestrator-gateway");
const { address, socketAddress } = test.hub;
obeyLines(JSON.stringify({ address, socketAddress, certs: test.authority.directory }), () => test.stop());
