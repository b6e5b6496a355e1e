import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAsSdk, type SdkAge } from "./sdk-reading.ts";

/** A frame as it stands on the wire. */
export function framed(body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body as string);
  const frame = Buffer.alloc(4 + bytes.length);
  frame.writeUInt32BE(bytes.length);
  bytes.copy(frame, 4);
  return frame;
}

/** What came is JSON of any shape; each stand-in looks for what it knows. */
// biome-ignore lint/suspicious/noExplicitAny: narrowing every step would hide what the stand-ins do
export type Json = { readonly [key: string]: any };

/** What a stand-in does with one message: writes its answer, or hangs up, or nothing. */
export type Behave = (message: Json, socket: Socket, raw: Buffer) => void;

export interface StandInOptions {
  /** How many connections it serves at once; the others wait. Default 1. */
  readonly hands?: number;
  /** How many connections it has room for; it hangs up on more. Default: any number. */
  readonly room?: number;
  /** What becomes of a connection, in place of serving it. */
  readonly onConnection?: (socket: Socket) => void;
}

/** A plugin within the test's own process, which serves each connection until its end and reads frame by frame. */
export class StandIn implements AsyncDisposable {
  readonly path: string;
  /** Every message that came, in order. */
  readonly messages: Json[] = [];
  /** Connections that were accepted; those that carried nothing are among them. */
  connections = 0;
  /** Connections that are open now. */
  readonly open = new Set<Socket>();
  readonly #directory: string;
  readonly #server: Server;
  readonly #behave: Behave;
  readonly #waiting: Socket[] = [];
  readonly #hands: number;
  #serving = 0;

  private constructor(behave: Behave, { hands = 1, room = Number.POSITIVE_INFINITY, onConnection }: StandInOptions) {
    this.#directory = mkdtempSync(join(tmpdir(), "uj-"));
    this.path = join(this.#directory, "p.sock");
    this.#behave = behave;
    this.#hands = hands;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.connections += 1;
      this.open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.open.delete(socket));
      if (this.open.size > room) return void socket.destroy();
      if (onConnection !== undefined) return void onConnection(socket);
      this.#waiting.push(socket);
      this.#next();
    });
  }

  static async listen(behave: Behave, options: StandInOptions = {}): Promise<StandIn> {
    const plugin = new StandIn(behave, options);
    await new Promise<void>((resolve) => plugin.#server.listen(plugin.path, resolve));
    return plugin;
  }

  /** Takes no more connections; those that are open stay. Its file goes. */
  stopListening(): void {
    this.#server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #next(): void {
    if (this.#serving >= this.#hands) return;
    const socket = this.#waiting.shift();
    if (socket === undefined) return;
    if (socket.readableEnded) {
      // The hub has closed it with nothing on it, and nobody heard that.
      socket.end();
      this.#next();
      return;
    }
    this.#serving += 1;
    let chunks: Buffer[] = [];
    let size = 0;
    let wanted = 4;
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size < wanted) return;
      const held = Buffer.concat(chunks);
      wanted = 4 + held.readUInt32BE(0);
      chunks = [held];
      if (size < wanted) return;
      // The next message is read with a buffer of its own: what this one holds beyond its message is lost.
      [chunks, size] = [[], 0];
      const raw = held.subarray(4, wanted);
      wanted = 4;
      const message = JSON.parse(raw.toString()) as Json;
      this.messages.push(message);
      this.#behave(message, socket, raw);
    });
    socket.on("end", () => socket.end());
    socket.on("close", () => {
      this.#serving -= 1;
      this.#next();
    });
  }
}

const envelope = (type: string, id: unknown, payload: object) =>
  framed(JSON.stringify({ type, timestamp: "2026-01-15T10:00:00.123456789Z", request_id: id, payload }));

/** The response in the disguise of a request: JSON within JSON. */
export function sdkAnswer(id: string, response: unknown, method = "RESPONSE"): Buffer {
  const body = typeof response === "string" ? response : JSON.stringify(response);
  const payload = { type: "http", request_id: id, payload: { method, path: "", headers: {}, body } };
  return envelope("http", id, payload);
}

/** The response as the documents have it. */
export function docsAnswer(id: string, response: object): Buffer {
  return envelope("http", id, response);
}

export function kvAnswer(id: string, value: unknown): Buffer {
  return envelope("kv", id, { type: "kv", request_id: id, value });
}

/**
 * Reads as the SDK does, with what it refuses; answers in its form. A message that does not decode ends the connection. Those
 * on an early SDK answer questions about their store with an HTTP message.
 */
export function sdkPlugin(serve: (method: string, path: string) => object, age: SdkAge = "late"): Behave {
  const store = new Map<string, string>();
  return (_, socket, raw) => {
    const reading = readAsSdk(raw, age);
    if (reading.is === "error") socket.end();
    if (reading.is === "kv") {
      const value = keep(store, reading.action.toLowerCase(), reading);
      socket.write(age === "late" ? kvAnswer(reading.id, value) : sdkAnswer(reading.id, { value }, "GET"));
    }
    if (reading.is === "http") {
      const { method, path } = reading.request;
      socket.write(sdkAnswer(reading.id, serve(method, path)));
    }
  };
}

/** Reads and answers as the documents say: no discriminator, the KV action in lower case right in the payload. */
export function docsPlugin(serve: (method: string, path: string) => object): Behave {
  const store = new Map<string, string>();
  return (message, socket) => {
    const { payload, request_id: id } = message;
    if (message["type"] === "kv") {
      const value = keep(store, payload.action, payload);
      return void socket.write(envelope("kv", id, { value: payload.action === "get" ? value : null }));
    }
    if (message["type"] !== "http") return;
    socket.write(docsAnswer(id, serve(payload.payload.method, payload.payload.path)));
  };
}

/** Reads as the Python example does: KV from `payload.payload`; answers as the documents say. */
export function pythonPlugin(serve: (method: string, path: string) => object): Behave {
  const store = new Map<string, string>();
  return (message, socket) => {
    const { payload, request_id: id } = message;
    if (message["type"] === "kv") {
      const { action } = payload.payload;
      const value = keep(store, action, payload.payload);
      return void socket.write(envelope("kv", id, { value: action === "get" ? value : null }));
    }
    if (message["type"] !== "http") return;
    socket.write(docsAnswer(id, serve(payload.payload.method, payload.payload.path)));
  };
}

function keep(store: Map<string, string>, action: string, { key, value }: Json): string | null {
  if (action === "get") return store.get(key) ?? null;
  if (action === "set") store.set(key, value);
  else store.delete(key);
  return null;
}
