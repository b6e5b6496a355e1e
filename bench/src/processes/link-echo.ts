/** One end of a link that echoes. Arguments: `fd`, `unix PATH CERTS` or `quic CERTS`; says where it listens. */
import { listenQuic } from "@orchestrator/transport-quic";
import { echoLink } from "../links/echo.ts";
import { material } from "../links/plugin.ts";
import { listenSocket, openFdLink } from "../links/socket.ts";
import { obeyLines } from "./lines.ts";

const [carrier, first = "", second = ""] = process.argv.slice(2);
let address = "fd:3";
if (carrier === "fd") {
  openFdLink(3, "bench", echoLink());
} else if (carrier === "unix") {
  ({ address } = await listenSocket(`unix:${first}`, { tls: material(second, "bench.server") }, echoLink()));
} else {
  ({ address } = await listenQuic("localhost:0", { tls: material(first, "bench.server") }, echoLink()));
}
obeyLines(address);
