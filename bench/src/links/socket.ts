/** The carriers over sockets. By path, as the suites that look into packages do. */
export { dialSocket, listenSocket, openFdLink, SocketLink } from "../../../packages/transport-socket/src/index.ts";
