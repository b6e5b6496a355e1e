import { oneLine } from "./table.ts";

/** `- **Label:** value` lines; those without a value are left out. */
export function bullets(entries: readonly (readonly [label: string, value: string])[]): readonly string[] {
  return entries.filter(([, value]) => value !== "").map(([label, value]) => `- **${label}:** ${oneLine(value)}`);
}
