import type { BackendCall, McpBackend, Progress } from "./backend.ts";
import type { Params } from "./jsonrpc.ts";
import type { Revision } from "./revision.ts";

/**
 * Everything that the answer to one request depends on besides its parameters. A revision with a handshake fills it from the
 * session; one without fills it from the request itself. The methods cannot tell the difference.
 */
export interface RequestContext extends BackendCall {
  readonly backend: McpBackend;
  readonly revision: Revision;
  /** How many entries a list answer holds at most. */
  readonly pageSize: number;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

/** Answers one method. Throws RpcError, or whatever the backend threw. */
export type Method = (params: Params, context: RequestContext) => Promise<object>;

/** A record of known members, in which absent ones are left out of the JSON. */
export type Result = { [key: string]: unknown };
