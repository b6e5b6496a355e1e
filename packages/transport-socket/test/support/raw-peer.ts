import type { Duplex } from "node:stream";

/** What a peer in another language would see: no code of this package is used here. */
export interface RawFrame {
  readonly kind: number;
  readonly call: number;
  readonly payload: Buffer;
}

export const hello: Buffer = frame(0, 0, Buffer.from("ORCH\u0001"));

export function frame(kind: number, call: number, payload: Uint8Array | string = ""): Buffer {
  const body = Buffer.from(payload as string);
  const header = Buffer.alloc(9);
  header.writeUInt32BE(body.length + 5, 0);
  header.writeUInt32BE(call, 4);
  header[8] = kind;
  return Buffer.concat([header, body]);
}

/** Writes whatever bytes it likes, and notes the frames that come back. */
export class RawPeer {
  readonly frames: RawFrame[] = [];
  readonly socket: Duplex;
  #bytes: Buffer = Buffer.alloc(0);
  #ended = false;
  readonly #waiting: { readonly done: () => boolean; readonly resolve: () => void }[] = [];

  constructor(socket: Duplex, reads = true) {
    this.socket = socket;
    socket.on("error", () => {});
    if (!reads) return;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#ended = true;
        this.#look();
      });
    }
  }

  get ended(): boolean {
    return this.#ended;
  }

  write(...parts: Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  of(kind: number): RawFrame[] {
    return this.frames.filter((seen) => seen.kind === kind);
  }

  /** Waits until `done`; looked at whenever something arrived or the connection ended. */
  when(done: (peer: this) => boolean): Promise<void> {
    if (done(this)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ done: () => done(this), resolve }));
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 9 && this.#bytes.length >= this.#bytes.readUInt32BE(0) + 4) {
      const end = this.#bytes.readUInt32BE(0) + 4;
      const payload = this.#bytes.subarray(9, end);
      this.frames.push({ kind: this.#bytes[8]!, call: this.#bytes.readUInt32BE(4), payload });
      this.#bytes = this.#bytes.subarray(end);
    }
    this.#look();
  }

  #look(): void {
    for (const waiting of [...this.#waiting]) {
      if (!waiting.done()) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.resolve();
    }
  }
}
