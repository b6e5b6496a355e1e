import { ErrorCode, HubError } from "@orchestrator/protocol";

/** One finding about a configuration. Lines and columns count from 1; 0 where there is no place in a file (environment, flags). */
export interface ConfigDiagnostic {
  readonly severity: "error" | "warning";
  readonly message: string;
  /** Path of the file, `environment`, or `command line`. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** What to try next; "" where there is nothing to say. */
  readonly hint: string;
}

/** Where in its file something stands. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Beyond this many findings a file is noise, and a hostile one would cost memory for each. */
const MAX_DIAGNOSTICS = 100;

/** Gathers findings; one list per parse. */
export class Diagnostics {
  readonly #found: ConfigDiagnostic[] = [];
  #errors = 0;

  error(place: Place, message: string, hint = ""): void {
    this.#errors += 1;
    this.#add({ severity: "error", message, ...place, hint });
  }

  warning(place: Place, message: string, hint = ""): void {
    this.#add({ severity: "warning", message, ...place, hint });
  }

  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  /** In the order of the file, findings without a place last. */
  list(): readonly ConfigDiagnostic[] {
    const rank = (finding: ConfigDiagnostic) => (finding.line === 0 ? Number.MAX_SAFE_INTEGER : finding.line);
    return this.#found.toSorted((a, b) => rank(a) - rank(b) || a.column - b.column);
  }

  #add(finding: ConfigDiagnostic): void {
    if (this.#found.length >= MAX_DIAGNOSTICS) return;
    this.#found.push({ ...finding, message: oneLine(finding.message), hint: oneLine(finding.hint) });
  }
}

/** What a file holds must neither break a line of the log nor reach the terminal as a command. */
function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, " ");
}

/** `plugins.yaml:7:5: error: Unknown key "bianry" (did you mean "binary"?)` */
export function formatDiagnostic(finding: ConfigDiagnostic): string {
  const place = finding.line === 0 ? finding.file : `${finding.file}:${finding.line}:${finding.column}`;
  const hint = finding.hint === "" ? "" : ` (${finding.hint})`;
  return `${place}: ${finding.severity}: ${finding.message}${hint}`;
}

/** The one error for a configuration that cannot be used. @returns `INVALID_ARGUMENT`, its message lists every error */
export function configError(diagnostics: readonly ConfigDiagnostic[]): HubError {
  const errors = diagnostics.filter((finding) => finding.severity === "error").map(formatDiagnostic);
  return new HubError(ErrorCode.InvalidArgument, `Configuration cannot be used:\n${errors.join("\n")}`);
}
