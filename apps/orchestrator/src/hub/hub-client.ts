import {
  type ControlRequest,
  type ControlResponse,
  ErrorCode,
  fromWireError,
  HubError,
  PluginRequest,
  PluginResponse,
  uuidv7,
} from "@orchestrator/protocol";
import { LinkPeer } from "@orchestrator/transport";
import { CliError, ExitCode } from "../exit-code.ts";
import { dialHub } from "./dial-hub.ts";
import { findHub, type HubState, stateFile } from "./state-file.ts";

/** The name of the operator's certificate: the hub takes control commands from nobody else. */
export const OPERATOR = "orchestrator-operator";

type Command = NonNullable<ControlRequest["command"]>;
type Result = NonNullable<ControlResponse["result"]>;
type ResultOf<C extends Result["$case"]> = Extract<Result, { $case: C }>["value"];
type Request = NonNullable<PluginRequest["request"]>;
type Response = NonNullable<PluginResponse["response"]>;
type ResponseOf<C extends Response["$case"]> = Extract<Response, { $case: C }>["value"];

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** Sent to the hub, which keeps it; 0 leaves it to the hub. */
  readonly timeoutMs?: number;
  readonly onProgress?: (progress: number, total: number, message: string) => void;
}

/** The operator's connection to a running hub. */
export class HubClient implements AsyncDisposable {
  readonly state: HubState;
  readonly #peer: LinkPeer;

  private constructor(state: HubState, peer: LinkPeer) {
    this.state = state;
    this.#peer = peer;
  }

  /**
   * Connects to the hub of a workspace.
   * @throws {CliError} `NotFound` where none runs, or none answers
   */
  static async open(workspace: string, signal?: AbortSignal): Promise<HubClient> {
    const found = findHub(workspace);
    if (found.is === "running") return HubClient.connect(found.state, workspace, signal);
    const stale = found.is === "stale" ? ` (its last one, process ${found.state.pid}, is gone)` : "";
    throw new CliError(ExitCode.NotFound, `No hub runs for workspace "${workspace}"${stale}`, {
      hint: `Start one: orchestrator serve --workspace "${workspace}"`,
      code: ErrorCode.Unavailable,
    });
  }

  static async connect(state: HubState, workspace: string, signal?: AbortSignal): Promise<HubClient> {
    const peer = new LinkPeer();
    try {
      await dialHub(state, OPERATOR, peer.accept, signal);
    } catch (error) {
      throw new CliError(
        ExitCode.NotFound,
        `The hub of workspace "${workspace}" (process ${state.pid}, ${state.address || state.socket}) does not answer: ${(error as Error).message}`,
        {
          hint: `Look at its log, or end it and remove "${stateFile(workspace)}"`,
          code: ErrorCode.Unavailable,
          cause: error,
        },
      );
    }
    return new HubClient(state, peer);
  }

  /** Resolves when the hub is gone. */
  get closed(): Promise<void> {
    return this.#peer.link.closed;
  }

  /** Sends one request and takes its answer as it is. */
  async send(request: Request, options: AskOptions = {}): Promise<PluginResponse> {
    const { onProgress } = options;
    const payload = await this.#peer.call(encode(request, options), {
      signal: options.signal,
      onMessage:
        onProgress === undefined
          ? undefined
          : (message) => {
              const { response } = PluginResponse.decode(message);
              if (response?.$case !== "progress") return;
              onProgress(response.value.progress, response.value.total, response.value.message);
            },
    });
    return PluginResponse.decode(payload);
  }

  /** @throws {HubError} what the hub reported, or `PROTOCOL` for an answer to something else */
  async ask<C extends Response["$case"]>(
    request: Request,
    expected: C,
    options: AskOptions = {},
  ): Promise<ResponseOf<C>> {
    return take(await this.send(request, options), expected);
  }

  /** Asks the hub itself. */
  async control<C extends Result["$case"]>(
    command: Command,
    expected: C,
    options: AskOptions = {},
  ): Promise<ResultOf<C>> {
    const { result } = await this.ask({ $case: "control", value: { command } }, "control", options);
    return resultOf(result, expected);
  }

  /** As `control`, for a command that is answered many times. */
  async *follow<C extends Result["$case"]>(
    command: Command,
    expected: C,
    signal: AbortSignal,
  ): AsyncGenerator<ResultOf<C>> {
    for await (const payload of this.#peer.stream(encode({ $case: "control", value: { command } }, {}), { signal })) {
      yield resultOf(take(PluginResponse.decode(payload), "control").result, expected);
    }
  }

  /** As `ask`, for a request that is answered many times. */
  async *answers<C extends Response["$case"]>(
    request: Request,
    expected: C,
    signal: AbortSignal,
  ): AsyncGenerator<ResponseOf<C>> {
    for await (const answer of this.stream(request, { signal })) yield take(answer, expected);
  }

  /** The messages of a streaming tool, raw. */
  async *stream(request: Request, options: AskOptions = {}): AsyncGenerator<PluginResponse> {
    for await (const payload of this.#peer.stream(encode(request, options), { signal: options.signal })) {
      yield PluginResponse.decode(payload);
    }
  }

  async close(): Promise<void> {
    await this.#peer.link.close(500);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function encode(request: Request, options: AskOptions): Uint8Array {
  const context = {
    timeoutMs: options.timeoutMs ?? 0,
    traceParent: "",
    caller: "",
    acceptsCalls: false,
    wantsProgress: options.onProgress !== undefined,
  };
  return PluginRequest.encode({ requestId: uuidv7(), request, context }).finish();
}

function take<C extends Response["$case"]>(answer: PluginResponse, expected: C): ResponseOf<C> {
  if (answer.error !== undefined) throw fromWireError(answer.error);
  if (answer.response?.$case === expected) return answer.response.value as unknown as ResponseOf<C>;
  throw new HubError(
    ErrorCode.Protocol,
    `The hub answered with ${answer.response?.$case ?? "nothing"}, not ${expected}`,
  );
}

function resultOf<C extends Result["$case"]>(result: ControlResponse["result"], expected: C): ResultOf<C> {
  if (result?.$case === expected) return result.value as unknown as ResultOf<C>;
  throw new HubError(ErrorCode.Protocol, `The hub answered with ${result?.$case ?? "nothing"}, not ${expected}`);
}
