import type { HubError, PluginResponse } from "@orchestrator/protocol";
import type { CallId } from "@orchestrator/transport";
import type { PluginConnection } from "./connection.ts";

type Response = NonNullable<PluginResponse["response"]>;

/** A question to the plugin, ready to be sent. */
export interface Question {
  /** For messages: "GET /a", "kv get". */
  readonly name: string;
  readonly frame: Uint8Array;
  /** The longest that it may take in all, from `open` to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Asking twice does no harm, whatever became of the first time. */
  readonly isRepeatable: boolean;
  /** The same in another form, for a plugin that hangs up on this one because it cannot read it. */
  readonly otherwise?: () => Question;
  /** @throws {HubError} `PROTOCOL`, completing the sentence "Plugin X …" */
  read(frame: Uint8Array): {
    readonly response: Response;
    readonly hasId: boolean;
    readonly remarks: readonly string[];
  };
}

/** One call of the link, from `open` to its end. */
export interface Exchange {
  readonly call: CallId;
  readonly requestId: string;
  question: Question;
  /** How it ended in the form before this one. */
  refused: HubError | undefined;
  /** performance.now() at which patience ends. */
  readonly deadlineMs: number;
  /** Where it is asked; undefined while it waits its turn. */
  connection: PluginConnection | undefined;
  /** The connection had carried another question before. */
  isReused: boolean;
}
