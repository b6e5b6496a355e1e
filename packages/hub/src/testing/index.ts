/** A hub for tests: real processes, real QUIC and TLS, directories of its own. @module */

export { isAlive } from "@orchestrator/supervisor/internal";
export { request } from "./request.ts";
export {
  operatorPeer,
  type StartTestHubOptions,
  startTestHub,
  type TestHub,
  type TestPlugin,
} from "./start-test-hub.ts";
