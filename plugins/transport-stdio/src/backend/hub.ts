import type { BackendCall } from "@orchestrator/mcp";
import type { PluginRequest } from "@orchestrator/protocol";
import type { LinkPeer } from "@orchestrator/transport";
import type { Question } from "../hub/ask.ts";
import type { HubConnection } from "../hub/hub-connection.ts";

/** Lists and reads are answered from what the hub or one storage plugin has at hand. */
const LOOKUP_TIMEOUT_MS = 30_000;

/** What the parts of the backend share: where to ask, and how a question looks. */
export class Hub {
  readonly #connection: HubConnection;

  constructor(connection: HubConnection) {
    this.#connection = connection;
  }

  /** @throws {HubError} `UNAVAILABLE` while the hub is away */
  get peer(): LinkPeer {
    return this.#connection.peer;
  }

  question(id: string, request: NonNullable<PluginRequest["request"]>, call: BackendCall): Question {
    return { requestId: `stdio-${id}`, request, timeoutMs: LOOKUP_TIMEOUT_MS, signal: call.signal };
  }
}
