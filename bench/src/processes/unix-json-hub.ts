/** A hub in a process of its own with one plugin that speaks unix-json; says where it is as JSON. */
import { join } from "node:path";
import { startTestHub } from "@orchestrator/hub/testing";
import { obeyLines } from "./lines.ts";

const test = await startTestHub({
  plugins: [{ id: "bench-unix-json", binary: join(import.meta.dirname, "unix-json-plugin.ts"), dialect: "unix-json" }],
});
await test.authority.leaf("orchestrator-gateway");
obeyLines(JSON.stringify({ socketAddress: test.hub.socketAddress, certs: test.authority.directory }), () =>
  test.stop(),
);
