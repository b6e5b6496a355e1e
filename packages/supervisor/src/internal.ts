/** For tests of sibling packages, with no promise of stability: what is left of a hub, and what it wrote down. @module */
export { findMarked, type MarkedProcess } from "./orphans/find-marked.ts";
export type { HubMark } from "./orphans/hub-mark.ts";
export { type RunRecord, readRecords, runsDirectory } from "./orphans/run-record.ts";
export { isAlive } from "./processes/process-stat.ts";
