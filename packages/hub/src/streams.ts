import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { Port } from "./port.ts";

/** A stream under way, or one that waits until its plugin serves. */
export interface CancellableStream {
  /** The caller asked for its end with a message of its own. */
  cancelByCaller(): void;
}

/** Streams by caller and stream id: a cancel may come on any connection of the caller. */
export class Streams {
  readonly #streams = new Map<string, CancellableStream>();

  /** @returns why the caller cannot have a stream of that id, if it cannot */
  refusal(port: Port, streamId: string): HubError | undefined {
    if (!this.#streams.has(keyOf(port, streamId))) return undefined;
    if (streamId === "") {
      // Plugins tell streams apart by their ids alone, and so does whoever stops one.
      const what = `A stream of "${port.caller.id}" that has no stream id is under way. Give each stream an id of its own`;
      return new HubError(ErrorCode.InvalidArgument, what);
    }
    return new HubError(ErrorCode.AlreadyExists, `Stream id "${streamId}" of "${port.caller.id}" is in use`);
  }

  add(port: Port, streamId: string, stream: CancellableStream): void {
    this.#streams.set(keyOf(port, streamId), stream);
  }

  remove(port: Port, streamId: string): void {
    this.#streams.delete(keyOf(port, streamId));
  }

  cancel(port: Port, streamId: string): void {
    this.#streams.get(keyOf(port, streamId))?.cancelByCaller();
  }
}

function keyOf(port: Port, streamId: string): string {
  return `${port.caller.id}\u0000${streamId}`;
}
