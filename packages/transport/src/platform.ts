/**
 * The few globals beyond the language that this package uses. Every host has them, but the compiler libraries here are free
 * of any host's types, and an ambient declaration would collide with the host's own in the packages that import this one.
 */
interface Platform {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  queueMicrotask(callback: () => void): void;
  readonly AbortController: new () => { readonly signal: AbortSignalOfHost; abort(reason: unknown): void };
}

/** What this package needs of an `AbortSignal`. */
export interface MinimalAbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** The host's own `AbortSignal` type where there is one, so that a signal from here fits `fetch` and the like. */
export type AbortSignalOfHost = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal & MinimalAbortSignal
  : MinimalAbortSignal;

export const platform = globalThis as unknown as Platform;
