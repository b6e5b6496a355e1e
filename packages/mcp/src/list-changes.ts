import type { ListKind } from "./backend.ts";

/** Runs something a little later. @returns how to call it off */
export type Schedule = (run: () => void, delayMs: number) => () => void;

/** Long enough for a plugin's tools, prompts and storage to arrive together, too short for a person to notice. */
const GATHER_MS = 50;

/**
 * Gathers changes that come in a burst, so that the client asks again once and not once per plugin. Closed at first: what
 * changes before the client is ready to hear is kept.
 */
export class ListChanges {
  readonly #schedule: Schedule;
  readonly #tell: (kinds: readonly ListKind[]) => void;
  readonly #changed = new Set<ListKind>();
  #callOff: (() => void) | undefined;
  #open = false;

  constructor(schedule: Schedule, tell: (kinds: readonly ListKind[]) => void) {
    this.#schedule = schedule;
    this.#tell = tell;
  }

  add(kind: ListKind): void {
    this.#changed.add(kind);
    this.#arm();
  }

  /** The client is ready to hear. */
  open(): void {
    this.#open = true;
    this.#arm();
  }

  /** A client starts (over): whatever changed before, its lists will be new. */
  reset(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    this.#changed.clear();
    this.#open = false;
  }

  #arm(): void {
    if (!this.#open || this.#changed.size === 0 || this.#callOff !== undefined) return;
    this.#callOff = this.#schedule(() => {
      this.#callOff = undefined;
      const kinds = [...this.#changed];
      this.#changed.clear();
      this.#tell(kinds);
    }, GATHER_MS);
  }
}

/** Where there is no timer: after what is running now. */
export const soon: Schedule = (run) => {
  let wanted = true;
  void Promise.resolve().then(() => {
    if (wanted) run();
  });
  return () => {
    wanted = false;
  };
};
