import { connect, type Socket } from "node:net";
import type { StartCall } from "../measure.ts";

/** What a message is delivered with. */
type Deliver = (subject: string, reply: string, payload: Buffer) => void;

/** As much of the NATS client protocol as requests and replies need; one write per turn, as good clients do. */
export class NatsClient {
  readonly #socket: Socket;
  readonly #deliver = new Map<string, Deliver>();
  #in: Buffer = Buffer.alloc(0);
  #out: Buffer[] = [];
  #pong: (() => void) | undefined;
  #next = 0;

  private constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#data(chunk));
  }

  /** @param address `127.0.0.1:port` */
  static async connect(address: string): Promise<NatsClient> {
    const [host, port] = address.split(":");
    const client = new NatsClient(connect(Number(port), host));
    client.#write(Buffer.from('CONNECT {"verbose":false,"pedantic":false}\r\n'));
    await client.flush();
    return client;
  }

  subscribe(subject: string, deliver: Deliver): void {
    const sid = String(this.#next++);
    this.#deliver.set(sid, deliver);
    this.#write(Buffer.from(`SUB ${subject} ${sid}\r\n`));
  }

  publish(subject: string, reply: string, payload: Uint8Array): void {
    this.#write(Buffer.from(`PUB ${subject} ${reply === "" ? "" : `${reply} `}${payload.length}\r\n`));
    this.#write(payload as Buffer);
    this.#write(CRLF);
  }

  /** Requests of one payload; the answers come to one inbox. */
  async requester(subject: string, payload: Uint8Array): Promise<StartCall> {
    const pending = new Map<string, () => void>();
    const inbox = `_INBOX.${process.pid}`;
    this.subscribe(`${inbox}.*`, (to) => {
      const done = pending.get(to);
      pending.delete(to);
      done?.();
    });
    await this.flush();
    let next = 0;
    return (done) => {
      const reply = `${inbox}.${next++}`;
      pending.set(reply, done);
      this.publish(subject, reply, payload);
    };
  }

  /** Resolves when the server has seen all that was sent before. */
  async flush(): Promise<void> {
    const pong = new Promise<void>((resolve) => {
      this.#pong = resolve;
    });
    this.#write(Buffer.from("PING\r\n"));
    await pong;
  }

  close(): void {
    this.#socket.destroy();
  }

  #write(bytes: Buffer): void {
    if (this.#out.length === 0) {
      queueMicrotask(() => {
        this.#socket.write(Buffer.concat(this.#out));
        this.#out = [];
      });
    }
    this.#out.push(bytes);
  }

  #data(chunk: Buffer): void {
    const bytes = this.#in.length === 0 ? chunk : Buffer.concat([this.#in, chunk]);
    let at = 0;
    for (;;) {
      const end = bytes.indexOf("\r\n", at);
      if (end === -1) break;
      const line = bytes.toString("latin1", at, end);
      let next = end + 2;
      if (line.startsWith("MSG ")) {
        const words = line.split(" ");
        const length = Number(words.at(-1));
        if (bytes.length < next + length + 2) break;
        const reply = words.length === 5 ? words[3]! : "";
        this.#deliver.get(words[2]!)?.(words[1]!, reply, bytes.subarray(next, next + length));
        next += length + 2;
      } else if (line === "PING") this.#write(Buffer.from("PONG\r\n"));
      else if (line === "PONG") this.#pong?.();
      else if (line.startsWith("-ERR")) throw new Error(line);
      at = next;
    }
    this.#in = bytes.subarray(at);
  }
}

const CRLF = Buffer.from("\r\n");
