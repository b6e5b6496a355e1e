import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { McpTool } from "../backend.ts";
import { toolFailure, toolResult } from "../content.ts";
import type { Method, RequestContext, Result } from "../context.ts";
import { isObject, type JsonObject } from "../json.ts";
import { paginate } from "../paging.ts";
import type { Revision } from "../revision.ts";
import { invalidParams } from "../rpc-error.ts";
import { clientOutputSchema, clientSchema } from "../tool-schema.ts";

export const listTools: Method = async (params, context) => {
  const all = await context.backend.listTools(context);
  const page = paginate(all, { kind: "tools", key: (tool) => tool.name, params, size: context.pageSize });
  return { tools: page.items.map((tool) => describe(tool, context.revision)), nextCursor: page.nextCursor };
};

export const callTool: Method = async (params, context) => {
  const { name, arguments: given } = params;
  if (typeof name !== "string" || name === "") throw invalidParams('tools/call needs a "name"');
  if (given !== undefined && given !== null && !isObject(given)) throw invalidParams('"arguments" must be an object');
  try {
    const outcome = await context.backend.callTool(name, (given ?? {}) as JsonObject, context);
    return toolResult(outcome, context.revision);
  } catch (reason) {
    return refused(name, reason, context);
  }
};

/** A model can mend its arguments, but not the name of a tool that its client never saw. */
function refused(name: string, reason: unknown, context: RequestContext): Result {
  if (context.signal.aborted || !(reason instanceof HubError)) throw reason;
  if (reason.code === ErrorCode.NotFound) throw invalidParams(`Unknown tool: ${name}`);
  if (reason.code === ErrorCode.InvalidArgument) return { ...toolFailure(reason.code, reason.message) };
  throw reason;
}

function describe(tool: McpTool, revision: Revision): Result {
  const title = tool.title === "" ? undefined : tool.title;
  return {
    name: tool.name,
    title: revision.titles ? title : undefined,
    description: tool.description,
    inputSchema: clientSchema(tool.inputSchema),
    outputSchema: revision.structuredContent ? clientOutputSchema(tool.outputSchema) : undefined,
    annotations: revision.toolAnnotations ? hints(tool, revision.titles ? undefined : title) : undefined,
  };
}

/** Only what clients know, and only in the type they expect: they check the whole list at once. */
function hints(tool: McpTool, title: string | undefined): Result | undefined {
  const given = tool.annotations ?? {};
  const known: Result = typeof given["title"] === "string" ? { title: given["title"] } : {};
  for (const name of ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"]) {
    if (typeof given[name] === "boolean") known[name] = given[name];
  }
  if (title !== undefined) known["title"] = title;
  return Object.keys(known).length > 0 ? known : undefined;
}
