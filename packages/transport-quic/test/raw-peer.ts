import { createSocket, type Socket } from "node:dgram";
import { clearInterval, setInterval } from "node:timers";
import { CALL_WINDOW_BYTES } from "@orchestrator/transport";
import { newConnectionId } from "../src/endpoint/endpoint.ts";
import type { EngineConnection } from "../src/engine/engine.ts";
import { loadQuiche } from "../src/engine/quiche.ts";
import type { TestMaterial } from "./material.ts";

/** A QUIC client that does with streams whatever a test likes, as other implementations and broken ones do. */
export class RawPeer implements AsyncDisposable {
  readonly engine: EngineConnection;
  /** What arrived on each stream so far. */
  readonly received = new Map<number, Buffer>();
  readonly finished = new Set<number>();
  /** Codes of streams that the listener reset. */
  readonly resets = new Map<number, number>();
  readonly #socket: Socket;
  readonly #waiting: { readonly done: () => boolean; readonly resolve: () => void }[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #chunk = new Uint8Array(65_536);

  static async connect(
    address: string,
    material: TestMaterial,
    options: { readonly emptyId?: boolean; readonly alpn?: string } = {},
  ): Promise<RawPeer> {
    const port = Number(address.split(":").at(-1));
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    await new Promise<void>((resolve) => socket.connect(port, "127.0.0.1", resolve));
    const factory = loadQuiche().configure({
      role: "client",
      tls: material.client,
      alpn: options.alpn ?? "orchestra-plugin",
      anonymousClients: false,
      idleTimeoutMs: 30_000,
      maxStreams: 100,
      streamWindowBytes: CALL_WINDOW_BYTES,
      maxDatagramBytes: 1350,
    });
    const id = options.emptyId === true ? new Uint8Array(0) : newConnectionId();
    const local = { host: "127.0.0.1", port: socket.address().port };
    const peer = new RawPeer(socket, factory.connect("localhost", id, local, { host: "127.0.0.1", port }));
    peer.flush();
    await peer.when(() => peer.engine.established);
    return peer;
  }

  private constructor(socket: Socket, engine: EngineConnection) {
    this.engine = engine;
    this.#socket = socket;
    socket.on("message", (datagram) => {
      engine.receive(datagram);
      this.#read();
      this.flush();
    });
    socket.on("error", () => {});
    this.#timer = setInterval(() => {
      if (engine.timeout() === 0) engine.elapsed();
      this.flush();
    }, 5);
  }

  write(stream: number, bytes: Uint8Array, finish: boolean): void {
    this.engine.write(stream, bytes, finish);
    this.flush();
  }

  flush(): void {
    for (;;) {
      const datagram = Buffer.allocUnsafe(1350);
      const bytes = this.engine.transmit(datagram);
      if (bytes === 0) break;
      this.#socket.send(datagram.subarray(0, bytes));
    }
    for (const waiting of [...this.#waiting]) {
      if (!waiting.done()) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.resolve();
    }
  }

  when(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.engine.close(true, 0, "");
    this.flush();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #read(): void {
    for (const stream of this.engine.readable()) {
      for (;;) {
        const bytes = this.engine.read(stream, this.#chunk);
        if (bytes === -2) this.resets.set(stream, this.engine.streamError);
        if (bytes < 0) break;
        const before = this.received.get(stream) ?? Buffer.alloc(0);
        this.received.set(stream, Buffer.concat([before, this.#chunk.subarray(0, bytes)]));
        if (this.engine.finished) {
          this.finished.add(stream);
          break;
        }
      }
    }
  }
}
