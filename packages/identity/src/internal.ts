/** For sibling packages, no promise of stability: locks and files that several processes share. @module */
export { acquireFileLock, type LockOptions, withFileLock } from "./file-lock.ts";
export { ensurePrivateDirectory, writePrivateFile } from "./files.ts";
export {
  isAlive,
  type Liveness,
  ownIdentity,
  type ProcessIdentity,
  processStartTime,
  signalReaches,
} from "./process-identity.ts";
