import { type PluginConnection, TELLS_UNREAD } from "./connection.ts";
import type { Question } from "./exchange.ts";

/** A plugin that hangs up after its answers does so within this time. Once, others may have to wait for it that long. */
const LINGER_MS = 50;

/**
 * Whether a connection that has carried a question may carry another. Some plugins hang up after each answer, at once or as soon as
 * they come to it, and what has reached them by then may be read and never answered. So only what may be asked twice is tried on
 * such a connection, until the plugin has shown that it keeps them.
 */
export class Reuse {
  #keeps: boolean | undefined;
  #watched: PluginConnection | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** The plugin keeps a connection until we close it; undefined while that is not known. */
  get keeps(): boolean | undefined {
    return this.#keeps;
  }

  allows({ isRepeatable }: Question): boolean {
    if (this.#keeps === false) return false;
    return isRepeatable || (this.#keeps === true && TELLS_UNREAD);
  }

  /** A used connection was answered on. */
  worked(): void {
    this.#keeps ??= true;
  }

  /** A used connection broke. */
  failed(): void {
    this.#keeps = false;
  }

  /** Closes a connection that nobody needs; the first one not at once, to see whether the plugin does. */
  release(connection: PluginConnection): void {
    if (this.#keeps !== undefined || this.#watched !== undefined) {
      connection.close();
      return;
    }
    this.#watched = connection;
    this.#timer = setTimeout(() => {
      this.#keeps ??= connection.isUsable;
      this.stop();
    }, LINGER_MS);
  }

  /** Closes one that is watched. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#watched?.close();
    this.#watched = undefined;
  }
}
