import { IdTable } from "@orchestrator/transport";
import { brokenFrame, MAX_UNFINISHED_MESSAGES } from "./frame.ts";
import { SocketCall } from "./socket-call.ts";

/** The calls under way on one link, of both sides, and the rules about how many there may be. */
export class CallTable {
  readonly #calls = new IdTable<SocketCall>();
  readonly #ourParity: number;
  readonly #maxForeign: number;
  #nextId: number;
  #foreign = 0;
  #unfinished = 0;

  /** @param maxForeign how many calls of the peer may be open at once */
  constructor(isConnector: boolean, maxForeign: number) {
    this.#ourParity = isConnector ? 1 : 0;
    this.#nextId = isConnector ? 1 : 2;
    this.#maxForeign = maxForeign;
  }

  get size(): number {
    return this.#calls.size;
  }

  get(id: number): SocketCall | undefined {
    return this.#calls.get(id);
  }

  openOurs(): SocketCall {
    const call = new SocketCall(this.#freeId(), true);
    this.#calls.set(call.id, call);
    return call;
  }

  /**
   * @returns undefined when the peer has as many calls open as it may
   * @throws {HubError} `PROTOCOL` for an id that is not the peer's to choose, or in use
   */
  openForeign(id: number): SocketCall | undefined {
    if ((id & 1) === this.#ourParity) throw brokenFrame(`call id ${id} is not the peer's to choose`);
    if (this.#calls.has(id)) throw brokenFrame(`call ${id} was opened twice`);
    if (this.#foreign >= this.#maxForeign) return undefined;
    this.#foreign += 1;
    const call = new SocketCall(id, false);
    this.#calls.set(id, call);
    return call;
  }

  forget(call: SocketCall): void {
    if (!this.#calls.delete(call.id)) return;
    if (!call.isOurs) this.#foreign -= 1;
    if (call.isUnfinished) this.#unfinished -= 1;
  }

  /** @throws {HubError} `PROTOCOL` */
  addPart(call: SocketCall, payload: Uint8Array): void {
    if (!call.isUnfinished) {
      if (this.#unfinished >= MAX_UNFINISHED_MESSAGES) {
        throw brokenFrame(`more than ${MAX_UNFINISHED_MESSAGES} long messages at once`);
      }
      this.#unfinished += 1;
    }
    call.addPart(payload);
  }

  /** @throws {HubError} `PROTOCOL` */
  whole(call: SocketCall, lastPiece: Uint8Array): Uint8Array {
    if (call.isUnfinished) this.#unfinished -= 1;
    return call.whole(lastPiece);
  }

  /** Forgets all of them. */
  takeAll(): SocketCall[] {
    const calls = this.#calls.values().sort((a, b) => a.id - b.id);
    this.#calls.clear();
    this.#foreign = 0;
    this.#unfinished = 0;
    return calls;
  }

  #freeId(): number {
    let id: number;
    do {
      id = this.#nextId;
      // 31 bits of ids per side, then again from the start: those of calls that still run are passed over.
      this.#nextId = id + 2 > 0xffffffff ? (this.#ourParity === 1 ? 1 : 2) : id + 2;
    } while (this.#calls.has(id));
    return id;
  }
}
