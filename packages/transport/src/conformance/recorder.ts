import type { HubError } from "@orchestrator/protocol";
import type { AcceptLink, CallId, Link, LinkHandler } from "../link.ts";

/** One thing that a handler was told. */
export type Told =
  | ({ readonly what: "request" } & Message)
  | ({ readonly what: "message" } & Message)
  | { readonly what: "cancelled"; readonly call: CallId; readonly error: HubError }
  | { readonly what: "drained"; readonly call: CallId }
  | { readonly what: "closed"; readonly error: HubError | undefined };

interface Message {
  readonly call: CallId;
  readonly payload: Uint8Array;
  readonly last: boolean;
}

/** A handler that writes down everything, and lets a test react at once or wait for what it needs. */
export class Recorder {
  readonly told: Told[] = [];
  /** Runs inside the handler's call, after it was written down. */
  react: ((told: Told, link: Link) => void) | undefined;
  link!: Link;
  readonly #waiting: { readonly done: () => boolean; readonly resolve: () => void }[] = [];

  constructor(react?: (told: Told, link: Link) => void) {
    this.react = react;
  }

  readonly accept: AcceptLink = (link) => {
    this.link = link;
    const handler: LinkHandler = {
      request: (call, payload, last) => this.#tell({ what: "request", call, payload, last }),
      message: (call, payload, last) => this.#tell({ what: "message", call, payload, last }),
      cancelled: (call, error) => this.#tell({ what: "cancelled", call, error }),
      drained: (call) => this.#tell({ what: "drained", call }),
      closed: (error) => this.#tell({ what: "closed", error }),
    };
    return handler;
  };

  /** Everything of one kind, in order. */
  all<What extends Told["what"]>(what: What): Extract<Told, { what: What }>[] {
    return this.told.filter((told) => told.what === what) as Extract<Told, { what: What }>[];
  }

  /** Waits until at least `count` of a kind were told, and returns the last of these. */
  async until<What extends Told["what"]>(what: What, count = 1): Promise<Extract<Told, { what: What }>> {
    await this.when(() => this.all(what).length >= count);
    return this.all(what)[count - 1]!;
  }

  /** Waits until `done`; looked at whenever something was told. */
  when(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }

  #tell(told: Told): void {
    this.told.push(told);
    this.react?.(told, this.link);
    for (const waiting of [...this.#waiting]) {
      if (!waiting.done()) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.resolve();
    }
  }
}

/** Answers every request with its own payload, and takes every further message as used up. */
export function echo(told: Told, link: Link): void {
  if (told.what === "request") link.send(told.call, told.payload, true);
}

export function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** A payload of which every byte depends on `seed` and its position, so that a mix-up shows. */
export function pattern(length: number, seed: number): Uint8Array {
  const payload = new Uint8Array(length);
  for (let index = 0; index < length; index++) payload[index] = (index * 31 + (index >>> 8) + seed * 7) & 0xff;
  return payload;
}

/** Compares quickly and says where the first difference is; a test library's deep comparison is slow on megabytes. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return index;
  return -1;
}
