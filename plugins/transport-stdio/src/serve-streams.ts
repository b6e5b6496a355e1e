import type { Readable, Writable } from "node:stream";
import { createMcpSession, type McpBackend, type ServerInfo } from "@orchestrator/mcp";
import { LineSplitter } from "./lines/line-splitter.ts";
import { LineWriter } from "./lines/line-writer.ts";
import { SERVER_INFO } from "./server-info.ts";

export type StdioLog = (level: "debug" | "info" | "warn" | "error", message: string) => void;

/** Why a run ended. */
export type StdioEnd = "input-ended" | "output-closed" | "aborted";

export interface StreamsOptions {
  readonly backend: McpBackend;
  readonly input: Readable;
  readonly output: Writable;
  readonly log: StdioLog;
  readonly maxLineBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly info?: Partial<ServerInfo> | undefined;
}

export const DEFAULT_MAX_LINE_BYTES = 10 * 1024 * 1024;

/** Deeper input does not survive the decoders of plugins: they allow 100 nested messages, and a JSON object takes three. */
const MAX_DEPTH = 32;

/** Joins a session to a pair of streams, one line of JSON per message, until one of them ends. */
export async function serveStreams(options: StreamsOptions): Promise<StdioEnd> {
  const { backend, input, output, log, signal, maxLineBytes = DEFAULT_MAX_LINE_BYTES } = options;
  const writer = new LineWriter(output, () => input.resume());
  const session = createMcpSession({
    backend,
    info: { ...SERVER_INFO, ...options.info },
    send: (text) => {
      writer.write(text);
    },
    congested: () => writer.congested,
    log,
    schedule: (run, delayMs) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    // A line is never longer than its bytes, so the splitter's limit is the only one.
    limits: { maxDepth: MAX_DEPTH, maxMessageLength: maxLineBytes },
  });
  const lines = new LineSplitter(maxLineBytes, {
    line: (text) => session.receive(text),
    unreadable: (reason) => session.refuse(reason),
  });
  const read = (chunk: Uint8Array) => {
    lines.write(chunk);
    // A client that does not read its answers gets no new ones until it does.
    if (writer.congested) input.pause();
  };
  const aborted = once(signal);
  const closed = Promise.race([writer.closed.then(() => "output-closed" as const), aborted.promise]);
  const ended = new Promise<"input-ended">((resolve) => {
    // Never taken off: a stream that has failed once may fail again, and that must not end the process.
    for (const event of ["end", "close", "error"]) input.on(event, () => resolve("input-ended"));
  });
  input.on("data", read);
  try {
    const first = await Promise.race([ended, closed]);
    if (first !== "input-ended") return first;
    lines.end();
    const idle = session.idle().then(() => writer.flushed());
    return await Promise.race([idle.then(() => first), closed]);
  } finally {
    aborted.forget();
    input.off("data", read);
    input.pause();
    session.close();
  }
}

function once(signal: AbortSignal | undefined): { readonly promise: Promise<"aborted">; forget(): void } {
  let forget = () => {};
  const promise = new Promise<"aborted">((resolve) => {
    const abort = () => resolve("aborted");
    forget = () => signal?.removeEventListener("abort", abort);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted === true) abort();
  });
  return { promise, forget };
}
