/** Front matter carries UTC, RFC 3339, whole seconds: `2026-11-21T01:36:14Z`. */
export function timestamp(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}
