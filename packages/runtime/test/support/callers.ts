import { HubError, type PluginRequest, type PluginResponse } from "@orchestrator/protocol";
import type { HubClient } from "../../src/hub-client.ts";
import { rawHost } from "./raw-host.ts";

/** A plugin that only calls. */
export const caller = { id: "caller", version: "1.0.0" };

export type Answer = (request: PluginRequest) => Partial<PluginResponse> | "silence" | undefined;

/** The client of a plugin whose hub answers like this. */
export function hubOf(answer: Answer): HubClient {
  return rawHost(caller, { answer }).runtime.hub;
}

/** A hub that never answers one kind of request. */
export function silentOn(kind: string): Answer {
  return ({ request }) => (request?.$case === kind ? "silence" : undefined);
}

/** The answer to a tool call; a failure without words unless told otherwise. */
export function toolAnswer(
  value: Partial<{ success: boolean; result: object; errorCode: string; errorMessage: string }>,
) {
  const full = { success: false, result: undefined, errorCode: "", errorMessage: "", ...value };
  return { response: { $case: "toolCall" as const, value: full } };
}

/** What a promise rejects with, which must be a HubError. */
export async function failure(promise: Promise<unknown>): Promise<HubError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof HubError)) throw new Error(`Expected a HubError, not ${String(error)}`);
  return error;
}
