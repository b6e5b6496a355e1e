import type { JsonObject, ToolCall, ToolOutcome } from "@orchestrator/mcp";
import { decodeAnswer, ErrorCode, fromWireError, HubError, uuidv7 } from "@orchestrator/protocol";
import type { LinkPeer } from "@orchestrator/transport";
import { encodeQuestion, type Question, watchLimits, wrongAnswer } from "../hub/ask.ts";

/** A result goes to the client in one message, and to a model after that. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

/**
 * Runs a streaming tool. Each piece is progress, with the piece as its text; all of them together are the result. Where the
 * tool fails half-way, what it said so far comes before the reason.
 * @throws {HubError} where the hub could not be asked, or broke off
 */
export async function streamTool(
  peer: LinkPeer,
  name: string,
  input: JsonObject,
  options: { readonly call: ToolCall; readonly timeoutMs: number },
): Promise<ToolOutcome> {
  const { call, timeoutMs } = options;
  const value = { streamId: uuidv7(), toolName: name, arguments: input, callerPlugin: "transport.stdio" };
  const request = { $case: "streamStart", value } as const;
  const { signal } = call;
  const question: Question = { requestId: `stdio-ts-${call.requestId}`, request, timeoutMs, signal };
  const watch = watchLimits(question);
  const output = new Output(call);
  try {
    for await (const payload of peer.stream(encodeQuestion(question), { signal: watch.signal })) {
      const answer = decodeAnswer(payload);
      const { response, error } = answer;
      if (response?.$case === "streamChunk") {
        output.add(response.value.data);
      } else if (response?.$case === "streamEnd" || (response?.$case === "toolCall" && !response.value.success)) {
        const { success, errorCode, errorMessage } = response.value;
        return success ? { ok: true, value: { text: output.finish() } } : output.failure(errorCode, errorMessage);
      } else if (error !== undefined) {
        throw fromWireError(error);
      } else {
        throw wrongAnswer("streamStart", answer);
      }
    }
    throw new HubError(ErrorCode.Protocol, `The tool "${name}" stopped without saying that it was over`);
  } finally {
    watch.done();
  }
}

/** Gathers the pieces. A character that is cut in two by a border between them is put together again. */
class Output {
  readonly #call: ToolCall;
  readonly #decoder = new TextDecoder();
  #text = "";
  #bytes = 0;
  #pieces = 0;

  constructor(call: ToolCall) {
    this.#call = call;
  }

  add(data: Uint8Array): void {
    this.#bytes += data.length;
    if (this.#bytes > MAX_OUTPUT_BYTES) {
      throw new HubError(ErrorCode.ResourceExhausted, `The tool wrote more than ${MAX_OUTPUT_BYTES} bytes`);
    }
    const piece = this.#decoder.decode(data, { stream: true });
    this.#text += piece;
    this.#pieces += 1;
    this.#call.onProgress?.({ progress: this.#pieces, message: piece });
  }

  finish(): string {
    this.#text += this.#decoder.decode();
    return this.#text;
  }

  failure(code: string, message: string): ToolOutcome {
    const said = this.finish();
    const reason = message === "" ? `tool error: ${code}` : message;
    return { ok: false, code, message: said === "" ? reason : `${said}\n${reason}` };
  }
}
