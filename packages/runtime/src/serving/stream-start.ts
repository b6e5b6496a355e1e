import { ErrorCode, HubError, LegacyCode } from "@orchestrator/protocol";
import type { CompiledTool } from "../plugin/compile.ts";
import { toJsonObject } from "../to-json.ts";
import type { RequestValue } from "./request-kind.ts";
import type { ServedCall } from "./served-call.ts";
import type { Serving } from "./serving.ts";
import { checkInput, failHandler } from "./tool-call.ts";

type Piece = Uint8Array | string | object;

/** Runs a streaming tool: every piece it yields is sent when the caller has room for it, then the end. */
export async function serveStreamStart(
  call: ServedCall,
  request: RequestValue<"streamStart">,
  serving: Serving,
): Promise<void> {
  const { streamId, toolName } = request;
  const tool = serving.plugin.tools.get(toolName);
  if (tool === undefined || !tool.streaming) {
    const why =
      tool === undefined ? "is not one of this plugin's" : "answers at once; it cannot be started as a stream";
    const error = new HubError(ErrorCode.NotFound, `Tool "${toolName}" ${why}`);
    call.fail(error, LegacyCode.ToolNotFound);
    return;
  }
  let sequence = 0;
  try {
    const input = (await checkInput(tool, request.arguments)) as never;
    // `for await` runs the generator's finally blocks when the loop is left early. A generator that waits on something
    // slow leaves when that is over, or at once where it listens to the signal; the caller has its answer by then.
    for await (const piece of tool.definition.stream(input, serving.context(call)) as AsyncIterable<Piece>) {
      if (!call.isOpen) return;
      const [data, contentType] = encodePiece(tool, piece);
      call.send({ $case: "streamChunk", value: { streamId, data, contentType, sequence } });
      sequence++;
      if (call.isBlocked) await call.room();
      if (!call.isOpen) return;
    }
    const end = { streamId, success: true, errorCode: "", errorMessage: "", totalChunks: sequence };
    call.reply({ $case: "streamEnd", value: end });
  } catch (thrown) {
    failHandler(call, tool, thrown, serving);
  }
}

const encoder = new TextEncoder();

function encodePiece(tool: CompiledTool, piece: Piece): readonly [data: Uint8Array, contentType: string] {
  if (piece instanceof Uint8Array) return [piece, "application/octet-stream"];
  if (typeof piece === "string") return [encoder.encode(piece), "text/plain; charset=utf-8"];
  const json = toJsonObject(piece, `A piece of tool "${tool.name}"`);
  return [encoder.encode(JSON.stringify(json)), "application/json"];
}

/** Ends a stream because its caller asked for that: it hears so at once, whatever the generator does. */
export function cancelStream(call: ServedCall): void {
  const reason = new HubError(ErrorCode.Cancelled, "Cancelled by the caller");
  call.abort(reason);
  call.fail(reason, LegacyCode.HandlerError);
}
