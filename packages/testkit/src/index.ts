/** What tests of plugins and gateways share: a real hub, an operator, processes that are gone. @module */
export {
  isAlive,
  operatorPeer,
  request,
  type StartTestHubOptions,
  startTestHub,
  type TestHub,
  type TestPlugin,
} from "@orchestrator/hub/testing";
export { hasPython, processesOf } from "./processes.ts";
