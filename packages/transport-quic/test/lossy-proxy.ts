import { createSocket, type Socket } from "node:dgram";

/** Passes datagrams between clients and a server, and loses some: the same ones for the same seed. */
export class LossyProxy implements AsyncDisposable {
  readonly #front: Socket;
  readonly #server: number;
  readonly #loss: number;
  #seed: number;
  readonly #backs = new Map<number, Socket>();
  lost = 0;
  passed = 0;

  static async start(serverAddress: string, loss: number, seed: number): Promise<LossyProxy> {
    const front = await bound();
    return new LossyProxy(front, Number(serverAddress.split(":").at(-1)), loss, seed);
  }

  private constructor(front: Socket, server: number, loss: number, seed: number) {
    this.#front = front;
    this.#server = server;
    this.#loss = loss;
    this.#seed = seed;
    front.on("message", (datagram, from) => void this.#forward(datagram, from.port));
  }

  get address(): string {
    return `127.0.0.1:${this.#front.address().port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.#front, ...this.#backs.values()]) socket.close();
  }

  async #forward(datagram: Buffer, client: number): Promise<void> {
    let back = this.#backs.get(client);
    if (back === undefined) {
      back = createSocket({ type: "udp4", recvBufferSize: 8 << 20 });
      this.#backs.set(client, back);
      back.on("message", (answer) => {
        if (this.#survives()) this.#front.send(answer, client, "127.0.0.1");
      });
      back.bind(0, "127.0.0.1");
    }
    if (this.#survives()) back.send(datagram, this.#server, "127.0.0.1");
  }

  #survives(): boolean {
    // A linear congruential generator: enough to spread losses, and repeatable.
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    const lost = this.#seed / 2 ** 32 < this.#loss;
    if (lost) this.lost++;
    else this.passed++;
    return !lost;
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 8 << 20 });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket;
}
