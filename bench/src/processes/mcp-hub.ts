/** A hub with the features and storage plugins. Argument: `fd` or `quic`, for how it speaks with them. Says where it is as JSON. */
import { join } from "node:path";
import { startTestHub } from "@orchestrator/hub/testing";
import { obeyLines } from "./lines.ts";

const plugins = join(import.meta.dirname, "..", "..", "..", "plugins");
// Plugins of our runtime that are offered no socket serve QUIC, as plugins of other makers do.
const env = process.argv[2] === "quic" ? { ORCHESTRATOR_LINK: "" } : {};
const began = performance.now();
const test = await startTestHub({
  plugins: [
    {
      id: "storage.markdown",
      binary: join(plugins, "storage-markdown", "src", "main.ts"),
      args: ["--workspace=."],
      env,
    },
    { id: "tools.features", binary: join(plugins, "tools-features", "src", "main.ts"), env },
  ],
});
const startMs = performance.now() - began;
for (const plugin of test.hub.plugins) {
  if (!plugin.isReady) throw new Error(`Plugin "${plugin.id}" did not start`);
}
await test.authority.leaf("transport.stdio-client");
const { address, socketAddress } = test.hub;
const certs = test.authority.directory;
const pids = test.hub.plugins.map(({ supervised }) => supervised.pid);
obeyLines(JSON.stringify({ address, socketAddress, certs, startMs, pids }), () => test.stop());
