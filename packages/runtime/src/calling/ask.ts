import type { KvRequest, PluginRequest, PluginResponse } from "@orchestrator/protocol";
import type { CallOptions } from "../hub-client.ts";

/** The members of the response oneof, as the codecs name them. */
export type AnswerCase = NonNullable<PluginResponse["response"]>["$case"];

/** The value of one member. */
export type Answer<C extends AnswerCase> = Extract<NonNullable<PluginResponse["response"]>, { $case: C }>["value"];

/** Asks one question and resolves with the expected member of the answer. */
export type Ask = <C extends AnswerCase>(
  request: PluginRequest["request"],
  expected: C,
  options?: CallOptions,
) => Promise<Answer<C>>;

/** A question about entries. Whose they are the hub knows. */
export function kvRequest(operation: KvRequest["operation"]) {
  return { $case: "kv", value: { namespace: "", operation } } as const;
}
