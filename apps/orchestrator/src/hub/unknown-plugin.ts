/** What to say of an id that no plugin of the configuration has. It may still be right: of one that is gone, or that joins by itself. */
export function unknownPlugin(named: string, ids: readonly string[]): string {
  return `No plugin here has the id "${named}"; there are: ${ids.join(", ") || "none"}`;
}
