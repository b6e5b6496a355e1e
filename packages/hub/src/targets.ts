import { DEFAULT_STORAGE_TYPE, RequestStamp } from "@orchestrator/protocol";
import type { Circuit } from "./circuit.ts";
import type { CallerShare } from "./in-flight.ts";
import type { PluginEntry } from "./plugin-entry.ts";
import type { Caller } from "./policy.ts";
import type { Route } from "./routes.ts";

/** Slots of a cache. A power of two. */
const SLOTS = 1_024;

/** Where one caller's requests for one name go: what is the same for all of them, so that it is found out once. */
export class Target {
  readonly kind: number;
  readonly route: Route;
  readonly plugin: PluginEntry;
  readonly share: CallerShare;
  readonly circuit: Circuit;
  /** For the call log: "tool create_feature". */
  readonly label: string;
  /** The plugin knows it by another name than the caller: an alias of the config. */
  readonly isRenamed: boolean;
  /** The name as it stands in the request, UTF-8. */
  readonly name: Uint8Array;
  readonly #caller: Caller;
  #stamp: RequestStamp | undefined;
  #timeoutMs = 0;
  #wantsProgress = false;

  /** @param outsideName as it stands in the request */
  constructor(kind: number, outsideName: string, route: Route, caller: Caller, label: string) {
    this.kind = kind;
    // Storage without a type means the default one, to the plugin as well.
    this.isRenamed = route.name !== (outsideName === "" ? DEFAULT_STORAGE_TYPE : outsideName);
    this.name = new TextEncoder().encode(outsideName);
    this.route = route;
    this.plugin = route.plugin;
    this.share = route.plugin.inFlight.shareOf(caller);
    this.circuit = route.plugin.circuits.of(caller.id);
    this.label = label;
    this.#caller = caller;
  }

  /** The same one as last time, as long as nothing that stands in it has changed. */
  stamp(timeoutMs: number, wantsProgress: boolean): RequestStamp {
    if (this.#stamp === undefined || timeoutMs !== this.#timeoutMs || wantsProgress !== this.#wantsProgress) {
      this.#timeoutMs = timeoutMs;
      this.#wantsProgress = wantsProgress;
      this.#stamp = new RequestStamp(this.kind, { caller: this.#caller.id, timeoutMs, wantsProgress });
    }
    return this.#stamp;
  }
}

/**
 * The targets of one caller, found by the bytes of the name: no text is made of it, and rights are not asked for again. It has two
 * slots per hash, so however many names a peer asks for, it grows no further; and only names that exist and are allowed come in.
 */
export class TargetCache {
  #slots: (Target | undefined)[] = [];
  #version = -1;

  /** @param version of the routes: with another one than at the last look everything is forgotten */
  find(kind: number, bytes: Uint8Array, start: number, end: number, version: number): Target | undefined {
    if (version !== this.#version) {
      this.#version = version;
      this.clear();
      return undefined;
    }
    const slot = slotOf(kind, bytes, start, end);
    const first = this.#slots[slot];
    if (first !== undefined && isFor(first, kind, bytes, start, end)) return first;
    const second = this.#slots[slot ^ 1];
    return second !== undefined && isFor(second, kind, bytes, start, end) ? second : undefined;
  }

  /** Two names that meet in one slot have two places between them, so that they do not drive each other out at every call. */
  add(target: Target): void {
    if (this.#slots.length === 0) this.#slots = new Array<undefined>(SLOTS).fill(undefined);
    const slot = slotOf(target.kind, target.name, 0, target.name.length);
    this.#slots[this.#slots[slot] === undefined ? slot : slot ^ 1] = target;
  }

  /** Needed whenever the caller's rights change. */
  clear(): void {
    this.#slots = [];
  }
}

function isFor(target: Target, kind: number, bytes: Uint8Array, start: number, end: number): boolean {
  const { name } = target;
  if (target.kind !== kind || name.length !== end - start) return false;
  for (let at = 0; at < name.length; at += 1) if (name[at] !== bytes[start + at]) return false;
  return true;
}

function slotOf(kind: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = kind;
  for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}
