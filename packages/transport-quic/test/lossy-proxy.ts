import { createSocket, type Socket } from "node:dgram";

/** What becomes of datagrams, as shares of all. */
export interface Mischief {
  readonly lost?: number;
  /** Delivered twice. */
  readonly doubled?: number;
  /** Held back until a few others have passed. */
  readonly late?: number;
}

/** Held datagrams go out after so many others, or so many milliseconds. */
const HELD_BACK = 3;
const HELD_MS = 5;

/** Passes datagrams between clients and a server, and does some mischief: the same for the same seed. */
export class LossyProxy implements AsyncDisposable {
  readonly #front: Socket;
  readonly #server: number;
  readonly #mischief: Required<Mischief>;
  readonly #held = new Set<() => void>();
  #seed: number;
  readonly #backs = new Map<number, Socket>();
  lost = 0;
  passed = 0;
  doubled = 0;
  late = 0;

  static async start(serverAddress: string, mischief: Mischief | number, seed: number): Promise<LossyProxy> {
    const front = await bound();
    const all = typeof mischief === "number" ? { lost: mischief } : mischief;
    return new LossyProxy(front, Number(serverAddress.split(":").at(-1)), all, seed);
  }

  private constructor(front: Socket, server: number, mischief: Mischief, seed: number) {
    this.#front = front;
    this.#server = server;
    this.#mischief = { lost: 0, doubled: 0, late: 0, ...mischief };
    this.#seed = seed;
    front.on("message", (datagram, from) => this.#forward(datagram, from.port));
  }

  get address(): string {
    return `127.0.0.1:${this.#front.address().port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#held.clear();
    for (const socket of [this.#front, ...this.#backs.values()]) socket.close();
    this.#backs.clear();
  }

  #forward(datagram: Buffer, client: number): void {
    let back = this.#backs.get(client);
    if (back === undefined) {
      const made = createSocket({ type: "udp4", recvBufferSize: 8 << 20 });
      back = made;
      this.#backs.set(client, made);
      made.on("message", (answer) => this.#pass(() => this.#front.send(answer, client, "127.0.0.1")));
      made.bind(0, "127.0.0.1");
    }
    const to = back;
    this.#pass(() => to.send(datagram, this.#server, "127.0.0.1"));
  }

  #pass(send: () => void): void {
    const { lost, doubled, late } = this.#mischief;
    if (this.#happens(lost)) {
      this.lost++;
      return;
    }
    this.passed++;
    if (this.#happens(late)) {
      this.late++;
      this.#hold(send);
      return;
    }
    send();
    if (this.#happens(doubled)) {
      this.doubled++;
      send();
    }
    if (this.#held.size >= HELD_BACK) for (const one of this.#held) one();
  }

  #hold(send: () => void): void {
    const release = () => {
      clearTimeout(timer);
      if (this.#held.delete(release)) send();
    };
    const timer = setTimeout(release, HELD_MS);
    this.#held.add(release);
  }

  #happens(share: number): boolean {
    if (share === 0) return false;
    // A linear congruential generator: enough to spread what happens, and repeatable.
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed / 2 ** 32 < share;
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 8 << 20 });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket;
}
