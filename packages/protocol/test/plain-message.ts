/** A decoded message without what nobody but a forwarder has a use for. */
export function known(value: unknown): unknown {
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((entry) => known(entry) ?? null);
  const entries = Object.entries(value).filter(([key]) => key !== "_unknownFields");
  return Object.fromEntries(entries.map(([key, entry]) => [key, known(entry)]));
}
