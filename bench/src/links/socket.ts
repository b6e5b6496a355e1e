/** The carriers over sockets, as benchmarks use them. */
export { dialSocket, listenSocket, openFdLink, SocketLink } from "@orchestrator/transport-socket";
