import { createSocket } from "node:dgram";
import { once } from "node:events";
import { HubClient } from "../hub/hub-client.ts";
import { findHub } from "../hub/state-file.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import { configOf } from "./config.ts";

/** Whether a hub runs, and answers. */
export const checkHub: Check = async ({ workspace }) => {
  const found = findHub(workspace);
  if (found.is === "absent") return ok("hub", "none runs for this workspace");
  const { pid, address } = found.state;
  if (found.is === "stale") {
    return warn(
      "hub",
      `the last one, process ${pid}, ended without saying goodbye`,
      "Nothing to do: the next start takes its place",
    );
  }
  try {
    await using client = await HubClient.connect(found.state, workspace, AbortSignal.timeout(5_000));
    const status = await client.control({ $case: "status", value: {} }, "status");
    const detail = `process ${pid} answers at ${address}, ${status.pluginsReady} of ${status.pluginsTotal} plugins ready`;
    if (status.problems.length === 0) return ok("hub", detail);
    return warn(
      "hub",
      `${detail}; ${status.problems.join("; ")}`,
      "Look closer: orchestrator plugins, orchestrator logs",
    );
  } catch (error) {
    return fail("hub", (error as Error).message, `Look at its log, then end process ${pid}`);
  }
};

/** Whether the configured address can be bound; a hub of this workspace that has it already is fine. */
export const checkPort: Check = async (patient) => {
  const config = await configOf(patient);
  if (config === undefined) return [];
  const { listenAddr } = config;
  const colon = listenAddr.lastIndexOf(":");
  const host = listenAddr.slice(0, colon).replace(/^\[|\]$/g, "");
  const port = Number(listenAddr.slice(colon + 1));
  const found = findHub(patient.workspace);
  if (found.is === "running" && found.state.address.endsWith(`:${port}`))
    return ok("port", `${listenAddr} is this workspace's hub`);
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  try {
    socket.bind({ port, address: host, exclusive: true });
    await once(socket, "listening");
    return ok("port", port === 0 ? "the system chooses one" : `UDP ${listenAddr} is free`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      return warn(
        "port",
        `UDP ${listenAddr} is taken, perhaps by the hub of another workspace`,
        "Serve with --listen-addr localhost:0; orchestrator mcp does so by itself",
      );
    }
    return fail(
      "port",
      `UDP ${listenAddr} cannot be bound (${code})`,
      "Choose another address with --listen-addr or listen_addr",
    );
  } finally {
    socket.close();
  }
};
