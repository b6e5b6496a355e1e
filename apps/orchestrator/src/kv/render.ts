import type { KvEntry, KvResponse } from "@orchestrator/protocol";
import type { Reporter } from "../output/reporter.ts";
import type { Style } from "../output/style.ts";
import { printable, size, span } from "../output/text.ts";

/** How much of a value a line shows. */
const SHOWN_CHARACTERS = 200;

/** An entry for programs: a value that is text as `value`, any other as `valueBase64`. */
export function entryJson(entry: KvEntry, withValue = true): Record<string, unknown> {
  const { key, version, updatedAtMs, expiresAtMs } = entry;
  const text = withValue ? textOf(entry.value) : undefined;
  const value = text === undefined ? { valueBase64: Buffer.from(entry.value).toString("base64") } : { value: text };
  return {
    key,
    ...(withValue ? value : {}),
    version,
    updatedAt: new Date(updatedAtMs).toISOString(),
    expiresAt: expiresAtMs === 0 ? null : new Date(expiresAtMs).toISOString(),
  };
}

/** Key, version, how long it stays, value. */
export function entryRow(entry: KvEntry, style: Style, withValue: boolean): readonly string[] {
  const left = entry.expiresAtMs === 0 ? "" : style.dim(`${span(Math.max(entry.expiresAtMs - Date.now(), 0))} left`);
  const value = withValue ? [style.dim(size(entry.value.length)), valueText(entry.value)] : [];
  return [style.bold(printable(entry.key)), style.dim(`v${entry.version}`), left, ...value];
}

/** One line for a change; undefined where there is nothing to say. */
export function changeLine({ entry, removed, lagged }: KvResponse, report: Reporter): string | undefined {
  const type = lagged ? "lagged" : entry === undefined ? "ready" : removed ? "removed" : "set";
  if (report.json) return JSON.stringify({ type, ...(entry === undefined ? {} : entryJson(entry, !removed)) });
  const { style } = report;
  switch (type) {
    case "ready":
      return undefined;
    case "lagged":
      return style.yellow("Changes were lost because they came faster than they were read");
    case "removed":
      return `${style.red("-")} ${style.bold(printable(entry!.key))}`;
    case "set":
      return `${style.green("+")} ${entryRow(entry!, style, true).join("  ")}`;
  }
}

function valueText(value: Uint8Array): string {
  const text = textOf(value);
  if (text === undefined) return "(binary)";
  const line = printable(text).replaceAll("\t", " ");
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
}

function textOf(value: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return undefined;
  }
}
