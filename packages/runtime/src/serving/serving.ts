import type { CallContext } from "../definition.ts";
import type { HubClient } from "../hub-client.ts";
import type { Log } from "../log.ts";
import type { Catalogue } from "../plugin/catalogue.ts";
import type { CompiledPlugin } from "../plugin/compile.ts";
import type { RequestValue } from "./request-kind.ts";
import type { ServedCall } from "./served-call.ts";

/** What the answering functions have at hand. One per running plugin. */
export interface Serving {
  readonly plugin: CompiledPlugin;
  readonly catalogue: Catalogue;
  readonly log: Log;
  /** Calls that belong to no call being served. */
  readonly hub: HubClient;
  context(call: ServedCall): CallContext;
  /** Gives an event to those who want it; resolves once they are done with it. Never rejects. */
  deliver(event: RequestValue<"publish">, traceParent: string): Promise<void>;
  /** Ends the stream of that id, if it runs on any link. */
  cancelStream(streamId: string): void;
  /** Waits for calls, runs the plugin's hook once, and says whether all went well. Never rejects. */
  shutdown(budgetMs: number): Promise<boolean>;
}
