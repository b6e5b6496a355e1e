/**
 * Ends a hub after `idleMs` without a client; plugins' own links do not count. Looks are counted, not the time: a hub that was held
 * up, by a busy machine or by one that slept, has clients at its door that it has not let in yet.
 */
export function watchIdle(
  hub: { readonly clientLinks: number },
  idleMs: number,
  stop: (reason: string) => void,
): NodeJS.Timeout {
  const lookMs = Math.max(20, Math.min(1000, idleMs / 4));
  let looks = 0;
  return setInterval(() => {
    looks = hub.clientLinks > 0 ? 0 : looks + 1;
    if (looks * lookMs >= idleMs) stop(`no client for ${idleMs / 1000} s`);
  }, lookMs);
}
