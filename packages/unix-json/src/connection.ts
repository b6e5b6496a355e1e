import { connect, type Socket } from "node:net";
import { ErrorCode, FrameReader, HubError } from "@orchestrator/protocol";
import { broken } from "./codec/json.ts";

/** How long to wait before another try where the plugin's queue of connections is full. */
const BUSY_RETRY_MS = 5;

/**
 * Linux resets a connection whose other end is closed with something in it that was never read, and just ends one that was read to
 * the end; others end both.
 */
export const TELLS_UNREAD = process.platform === "linux";

/** What becomes of a question: exactly one of the two is called for each. */
export interface Asker {
  answered(frame: Uint8Array): void;
  /**
   * Nothing more can be asked on the connection.
   * @param error its message completes the sentence "Plugin X …"
   * @param isUnread the plugin has certainly not read all of the question
   */
  failed(error: HubError, isUnread: boolean): void;
}

/**
 * One connection to a plugin's socket, with one question under way at most: plugins of this kind lose what reaches them before
 * they have answered.
 */
export class PluginConnection {
  readonly #path: string;
  readonly #reader = new FrameReader((payload) => this.#frames.push(payload));
  #frames: Uint8Array[] = [];
  #socket: Socket;
  #asker: Asker | undefined;
  /** The question, while there is no connection to put it on. */
  #waiting: Uint8Array | undefined;
  #connected = false;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  /** Bytes of the answer that is under way. */
  #received = 0;
  /** Questions that were answered here. */
  answers = 0;
  /** How many answers there had been, on whatever connection, when this one was made. */
  readonly madeAt: number;
  /** performance.now() until which its first question can wait for the plugin to take it, without harm. */
  readonly patientUntilMs: number;

  constructor(path: string, { madeAt, patientUntilMs }: Pick<PluginConnection, "madeAt" | "patientUntilMs">) {
    this.#path = path;
    this.madeAt = madeAt;
    this.patientUntilMs = patientUntilMs;
    this.#socket = this.#dial();
  }

  /** Another question may be asked here. */
  get isUsable(): boolean {
    return !this.#closed && this.#asker === undefined;
  }

  /** Asks; only where nothing else is under way. */
  ask(frame: Uint8Array, asker: Asker): void {
    this.#asker = asker;
    this.#received = 0;
    if (this.#connected) this.#socket.write(frame);
    else this.#waiting = frame;
  }

  /** At once; nobody hears of it. */
  close(): void {
    this.#closed = true;
    this.#asker = undefined;
    this.#waiting = undefined;
    clearTimeout(this.#retry);
    this.#socket.destroy();
  }

  #dial(): Socket {
    const socket = connect(this.#path);
    socket.on("connect", () => {
      this.#connected = true;
      if (this.#waiting !== undefined) socket.write(this.#waiting);
      this.#waiting = undefined;
    });
    socket.on("data", (chunk: Buffer) => this.#data(chunk));
    socket.on("end", () => this.#fail(this.#ended()));
    socket.on("error", (error: NodeJS.ErrnoException) => this.#error(error));
    return socket;
  }

  #data(chunk: Buffer): void {
    if (this.#closed) return;
    this.#received += chunk.length;
    try {
      this.#reader.push(chunk);
    } catch (reason) {
      this.#fail(broken(`announced a frame that is too long: ${HubError.from(reason).message}`));
      return;
    }
    const [first] = this.#frames;
    if (this.#asker !== undefined && first === undefined) return;
    const isOne = this.#frames.length === 1 && this.#reader.idle;
    this.#frames = [];
    const asker = this.#asker;
    if (asker === undefined) this.close();
    else if (!isOne) this.#fail(broken("answered one question twice"));
    else {
      this.#asker = undefined;
      this.answers += 1;
      asker.answered(first!);
    }
  }

  #error(error: NodeJS.ErrnoException): void {
    if (!this.#connected && error.code === "EAGAIN" && !this.#closed) {
      this.#socket.destroy();
      this.#retry = setTimeout(() => {
        this.#socket = this.#dial();
      }, BUSY_RETRY_MS);
      return;
    }
    const what = this.#connected ? "broke the connection" : "cannot be reached";
    const message = `${what} at "${this.#path}" (${error.code ?? error.message})`;
    const isUnread = TELLS_UNREAD && this.#received === 0 && (error.code === "EPIPE" || error.code === "ECONNRESET");
    this.#fail(new HubError(ErrorCode.Unavailable, message, { cause: error }), isUnread);
  }

  #ended(): HubError {
    if (this.#received === 0) {
      return new HubError(ErrorCode.Unavailable, "closed the connection without an answer; its log may say why");
    }
    return broken(`closed the connection in the middle of its answer, after ${this.#received} bytes`);
  }

  #fail(error: HubError, isUnread = false): void {
    const asker = this.#asker;
    this.close();
    asker?.failed(error, isUnread);
  }
}
