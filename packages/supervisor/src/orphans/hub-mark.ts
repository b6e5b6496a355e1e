import { randomBytes, randomInt } from "node:crypto";

/** In the environment of everything that a hub starts: which hub. */
export const TOKEN_VARIABLE = "ORCHESTRATOR_HUB_TOKEN";
/** The same, and which start of which plugin: `<token>/<plugin id>/<number>`. */
export const INSTANCE_VARIABLE = "ORCHESTRATOR_INSTANCE";
/** In the environment of a hub's guardian, which must outlive what it guards. */
export const GUARDIAN_VARIABLE = "ORCHESTRATOR_GUARDIAN_OF";

/** Digits of an instance's number within its mark. */
const NUMBER_DIGITS = 7;
/** Instances are counted from 0 again after this many; a soak makes a million. */
export const MAX_INSTANCES = 10 ** NUMBER_DIGITS;

/**
 * What every process that a hub starts carries, and what its descendants inherit whatever they do:
 *
 * - `token` in the environment. A program that starts others with an environment of their own, or writes over the place where its
 *   environment lies (as those do that change their title), loses it.
 * - `digits`, followed by the instance's number, as soft limit of "file locks" (RLIMIT_LOCKS). Linux has ignored that limit since
 *   version 2.4.25, but still keeps its 64 bits for each process, hands them on over fork, exec, setsid and a change of user, and
 *   shows them to everybody in `/proc/<pid>/limits`, which can be read without waiting. So it makes a mark that nobody loses by
 *   accident, and that no other process has.
 *
 * Two marks rather than one, because the second needs a shell whose `ulimit` knows it.
 */
export interface HubMark {
  /** 32 hex digits. */
  readonly token: string;
  /** 11 decimal digits, the first not 0: together with the number they stay below 2^63. */
  readonly digits: string;
}

export function createHubMark(): HubMark {
  return { token: randomBytes(16).toString("hex"), digits: String(randomInt(10_000_000_000, 99_999_999_999)) };
}

export function isHubMark(value: { readonly token?: unknown; readonly digits?: unknown }): value is HubMark {
  const { token, digits } = value;
  return typeof token === "string" && /^[0-9a-f]{32}$/.test(token) && /^[1-9]\d{10}$/.test(String(digits));
}

/** The whole limit of one instance. */
export function instanceDigits(mark: HubMark, number: number): string {
  return mark.digits + String(number).padStart(NUMBER_DIGITS, "0");
}

export function instanceEnv(mark: HubMark, pluginId: string, number: number): Record<string, string> {
  return { [TOKEN_VARIABLE]: mark.token, [INSTANCE_VARIABLE]: `${mark.token}/${pluginId}/${number}` };
}

/** @param limits a `/proc/<pid>/limits` @returns the instance's number, or undefined for a process that is none of this hub's */
export function numberInLimits(mark: HubMark, limits: string): number | undefined {
  // Nearly every process ends here, so the cheap look comes first.
  if (!limits.includes(mark.digits)) return undefined;
  const soft = /^Max file locks +(\d+) /m.exec(limits)?.[1];
  if (soft?.length !== mark.digits.length + NUMBER_DIGITS || !soft.startsWith(mark.digits)) return undefined;
  return Number(soft.slice(mark.digits.length));
}

/** @param environ a `/proc/<pid>/environ` @returns as `numberInLimits`; -1 where the number was lost */
export function numberInEnviron(mark: HubMark, environ: string): number | undefined {
  if (!environ.includes(mark.token)) return undefined;
  const entries = environ.split("\0");
  const instance = entries.find((entry) => entry.startsWith(`${INSTANCE_VARIABLE}=${mark.token}/`));
  const number = instance?.slice(instance.lastIndexOf("/") + 1) ?? "";
  if (/^\d+$/.test(number)) return Number(number);
  return entries.includes(`${TOKEN_VARIABLE}=${mark.token}`) ? -1 : undefined;
}
