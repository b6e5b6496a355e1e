import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { PromptMessage } from "../definition.ts";
import type { RequestValue } from "./request-kind.ts";
import type { ServedCall } from "./served-call.ts";
import type { Serving } from "./serving.ts";

/** Fills in a prompt. @throws {HubError} `NOT_FOUND`, `INVALID_ARGUMENT` where a required argument is missing */
export async function servePromptGet(
  call: ServedCall,
  request: RequestValue<"promptGet">,
  serving: Serving,
): Promise<void> {
  const { promptName } = request;
  const prompts = serving.plugin.definition.prompts ?? {};
  const prompt = Object.hasOwn(prompts, promptName) ? prompts[promptName] : undefined;
  if (prompt === undefined)
    throw new HubError(ErrorCode.NotFound, `Prompt "${promptName}" is not one of this plugin's`);
  const missing = (prompt.arguments ?? []).filter(({ name, required }) => required && !request.arguments[name]);
  if (missing.length > 0) {
    const names = missing.map(({ name }) => `"${name}"`).join(", ");
    throw new HubError(ErrorCode.InvalidArgument, `Prompt "${promptName}" needs ${names}`);
  }
  const filled = await prompt.get(request.arguments, serving.context(call));
  const messages: readonly PromptMessage[] = typeof filled === "string" ? [{ role: "user", text: filled }] : filled;
  call.reply({
    $case: "promptGet",
    value: {
      description: prompt.description,
      messages: messages.map(({ role, text }) => ({ role, content: { type: "text", text } })),
    },
  });
}
