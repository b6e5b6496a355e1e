/** The stdio client on the hub's local socket, as the `orchestrator` program runs it. Arguments: the socket, the certificates. */
import { runStdio } from "@orchestrator/transport-stdio";
import { material } from "../links/plugin.ts";
import { dialSocket } from "../links/socket.ts";

const [address = "", certs = ""] = process.argv.slice(2);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
await runStdio({
  connect: (accept, signal) => dialSocket(address, { tls: material(certs, "transport.stdio-client"), signal }, accept),
  input: process.stdin,
  output: process.stdout,
  log: () => {},
});
process.exit(0);
