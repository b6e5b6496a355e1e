import type { Child, Children } from "../children.ts";
import { type Calls, type Load, type LoadResult, putLoad } from "./load.ts";

/** caller → middle → callee and back, in three processes. */
export interface Path {
  readonly name: string;
  put(load: Load, ms: number): Promise<LoadResult>;
  /** CPU time that the process in the middle has used so far, in microseconds. */
  cpuUs(): Promise<number>;
  close(): Promise<void>;
}

/** Another way to build such a path. */
export interface PathPeer {
  /** @returns undefined where this machine lacks what it needs */
  start(children: Children): Promise<Path | undefined>;
}

/** A path whose caller is this process. */
export function localPath(name: string, calls: Calls, middle: Child, close: () => Promise<void> | void): Path {
  return {
    name,
    put: (load, ms) => putLoad(calls, load, ms),
    cpuUs: async () => Number(await middle.ask("cpu")),
    close: async () => await close(),
  };
}
