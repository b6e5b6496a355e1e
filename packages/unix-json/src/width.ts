import type { PluginConnection } from "./connection.ts";

/** Connections to a plugin that serves several. More would only wait in it. */
const WIDE = 16;
/** After a look that showed nothing, how long until the next one, in milliseconds; then twice as long, up to an hour. */
const LOOK_AGAIN_MS = 30_000;
const LOOK_AGAIN_MAX_MS = 3_600_000;
/** Answers of the others, per open connection, that one may wait for which has had none. */
const PATIENCE = 4;
/** The same in all, while a second connection is there to see what comes of it: a busy machine is slow to hand it to the plugin. */
const LOOK_PATIENCE = 64;

/**
 * How many connections a plugin is asked on at once. Many serve one after the other, and a question on a second connection would
 * wait in the plugin rather than here; others serve any number. Which it is shows when somebody waits: a second connection that is
 * answered while the first one is still open. Until then there is one.
 */
export class Width {
  readonly #fixed: number | undefined;
  #isWide = false;
  /** A second connection is open to see what comes of it. */
  #isLooking = false;
  #lookAtMs = 0;
  #lookAgainMs = LOOK_AGAIN_MS;
  /** As many as it let us have, once it has sent one away. */
  #most = WIDE;

  /** @param fixed what somebody knows; undefined to find out */
  constructor(fixed: number | undefined) {
    this.#fixed = fixed;
  }

  /**
   * @param open connections in the order in which they were made
   * @param keeps the plugin has shown that it keeps its connections; of others nothing can be seen
   */
  limit(open: ReadonlySet<PluginConnection>, keeps: boolean, nowMs: number): number {
    if (this.#fixed !== undefined) return Math.min(this.#fixed, this.#most);
    if (this.#isWide) return this.#most;
    const [first] = open;
    const canLook = this.#most > 1 && keeps && open.size === 1 && first!.answers > 0;
    if (!this.#isLooking && canLook && nowMs >= this.#lookAtMs) this.#isLooking = true;
    return this.#isLooking ? 2 : 1;
  }

  /** The plugin hung up on a new connection, and left the question on it unread. @param open the others */
  refused(open: number): void {
    this.#most = Math.max(1, open);
    this.#isLooking &&= this.#most > 1;
  }

  /** @param connection has just been answered */
  answered(connection: PluginConnection, open: ReadonlySet<PluginConnection>, nowMs: number): void {
    if (this.#isWide) return;
    if (connection.answers === 1 && open.size > 1) {
      for (const other of open) if (other !== connection && other.answers > 0) this.#isWide = true;
      this.#end(nowMs);
    }
  }

  /**
   * Whether a connection may take the next question. It may not while one that was made after it has waited for long without any
   * answer, or for a good part of its time: the plugin may have no hands left, and takes that one when this one ends.
   * @param heard answers of the plugin so far, on whatever connection
   */
  mayGoOn(connection: PluginConnection, open: ReadonlySet<PluginConnection>, heard: number, nowMs: number): boolean {
    const patience = this.#isLooking ? LOOK_PATIENCE : PATIENCE * open.size;
    for (const other of open) {
      if (other === connection || other.answers > 0) continue;
      if (heard - other.madeAt < patience && nowMs < other.patientUntilMs) continue;
      this.#end(nowMs);
      return false;
    }
    return true;
  }

  #end(nowMs: number): void {
    if (!this.#isLooking) return;
    this.#isLooking = false;
    this.#lookAtMs = nowMs + this.#lookAgainMs;
    this.#lookAgainMs = Math.min(this.#lookAgainMs * 2, LOOK_AGAIN_MAX_MS);
  }
}
