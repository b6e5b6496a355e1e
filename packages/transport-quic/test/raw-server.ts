import { createSocket, type Socket } from "node:dgram";
import { clearInterval, setInterval } from "node:timers";
import { CALL_WINDOW_BYTES } from "@orchestrator/transport";
import { newConnectionId } from "../src/endpoint/endpoint.ts";
import { type EngineConnection, type EngineFactory, GONE } from "../src/engine/engine.ts";
import { loadQuiche } from "../src/engine/quiche.ts";
import type { TestMaterial } from "./material.ts";

/** A QUIC server for one client that does with streams whatever a test likes. */
export class RawServer implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #factory: EngineFactory;
  readonly #timer: NodeJS.Timeout;
  readonly #onStream: (stream: number, server: RawServer) => void;
  readonly #chunk = new Uint8Array(65_536);
  /** Streams of the client that were seen and are not forgotten yet. */
  readonly #streams = new Set<number>();
  /** Writes that came to nothing, because the client had stopped the stream. */
  refused = 0;
  #engine: EngineConnection | undefined;
  #client = 0;

  /** @param onStream called when a stream of the client has brought its first bytes */
  static async listen(
    material: TestMaterial,
    maxStreams: number,
    onStream: (stream: number, server: RawServer) => void,
  ): Promise<RawServer> {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return new RawServer(socket, material, maxStreams, onStream);
  }

  private constructor(
    socket: Socket,
    material: TestMaterial,
    maxStreams: number,
    onStream: (stream: number, server: RawServer) => void,
  ) {
    this.#socket = socket;
    this.#onStream = onStream;
    this.#factory = loadQuiche().configure({
      role: "server",
      tls: material.server,
      alpn: "orchestra-plugin",
      anonymousClients: false,
      idleTimeoutMs: 30_000,
      maxStreams,
      streamWindowBytes: CALL_WINDOW_BYTES,
      maxDatagramBytes: 1350,
    });
    const local = { host: "127.0.0.1", port: socket.address().port };
    socket.on("message", (datagram, from) => {
      this.#client = from.port;
      this.#engine ??= this.#factory.accept(newConnectionId(), local, { host: from.address, port: from.port });
      this.#engine.receive(datagram);
      this.#read(this.#engine);
      this.flush();
    });
    this.#timer = setInterval(() => {
      if (this.#engine?.timeout() === 0) this.#engine.elapsed();
      this.flush();
    }, 5);
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  /** Streams of the client that this side's QUIC has not forgotten. */
  get openStreams(): number {
    for (const stream of this.#streams) {
      if (this.#engine!.capacity(stream) === GONE) this.#streams.delete(stream);
    }
    return this.#streams.size;
  }

  write(stream: number, bytes: Uint8Array, finish: boolean): void {
    if (this.#engine!.write(stream, bytes, finish) < 0) this.refused++;
    this.flush();
  }

  flush(): void {
    for (;;) {
      const datagram = Buffer.allocUnsafe(1350);
      const bytes = this.#engine?.transmit(datagram) ?? 0;
      if (bytes === 0) return;
      this.#socket.send(datagram.subarray(0, bytes), this.#client, "127.0.0.1");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#engine?.close(true, 0, "");
    this.flush();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #read(engine: EngineConnection): void {
    for (const stream of engine.readable()) {
      const isNew = !this.#streams.has(stream);
      let bytes = 0;
      do bytes = engine.read(stream, this.#chunk);
      while (bytes >= 0 && !engine.finished);
      if (!isNew || bytes < 0) continue;
      this.#streams.add(stream);
      this.#onStream(stream, this);
    }
  }
}
