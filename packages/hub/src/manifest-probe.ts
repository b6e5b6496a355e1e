import { statSync } from "node:fs";
import { ErrorCode, HubError, manifestFromJson, type PluginManifest } from "@orchestrator/protocol";
import { startProblem } from "@orchestrator/supervisor";
import { type CaptureSpec, capture } from "./capture.ts";
import { checkNeeds, printedNeeds } from "./plugin-needs.ts";
import type { Needs } from "./policy.ts";

/** 4 096 names of the longest kind in every list would be more; the largest plugin known prints 8 KiB. */
const MAX_MANIFEST_BYTES = 1024 * 1024;

/** `timeoutMs`: how long the program may take to print its manifest. */
export type ProbeSpec = Omit<CaptureSpec, "maxBytes">;

export interface Probed {
  /** undefined when the program has no answer: it may be older than the question. */
  readonly manifest: PluginManifest | undefined;
  /** Those of its needs that it printed: it will be given no more than these. */
  readonly ceiling: Partial<Needs>;
  /** Changes when the program is replaced on disk. */
  readonly program: string;
}

/**
 * Asks a program for its manifest with `--manifest`, which all kinds of Orchestra plugins answer with JSON on stdout. Its id
 * names the certificates that the plugin gets before it is started for real.
 */
export class ManifestProbe {
  readonly #known = new Map<string, Probed>();

  /** The program is asked anew next time: what it prints may depend on files that nobody knows here. */
  forget(program: string): void {
    this.#known.delete(program);
  }

  /** @throws {HubError} `START_FAILED` for a program that cannot be run, `INVALID_ARGUMENT` for a manifest that is no good */
  async read(spec: ProbeSpec, signal: AbortSignal): Promise<Probed> {
    const program = fingerprint(spec);
    const known = this.#known.get(program);
    if (known !== undefined) return known;
    const [name, ...args] = spec.command;
    const captured = await capture(
      { ...spec, command: [name, ...args, "--manifest"], maxBytes: MAX_MANIFEST_BYTES },
      signal,
    );
    if (captured.end === "error") {
      const { error } = captured;
      throw new HubError(
        ErrorCode.StartFailed,
        `Cannot ask plugin "${spec.id ?? name}" what it is: ${startProblem(error, name, spec.cwd)}`,
        { cause: error },
      );
    }
    if (captured.end === "too-long") {
      const what = `"${name} --manifest" printed more than ${MAX_MANIFEST_BYTES} bytes`;
      throw new HubError(ErrorCode.InvalidArgument, `Cannot read manifest: ${what}`);
    }
    let manifest: PluginManifest | undefined;
    let ceiling: Partial<Needs> = {};
    const printed = captured.end === "exited" ? captured.stdout.toString("utf8") : "";
    if (printed.trimStart().startsWith("{")) {
      manifest = manifestFromJson(printed);
      checkNeeds(manifest);
      ceiling = printedNeeds(printed, manifest);
    }
    const answer = { manifest, ceiling, program };
    // One that was late may have been held up by others.
    if (captured.end !== "late") this.#known.set(program, answer);
    return answer;
  }
}

/** A program that was replaced on disk is asked anew. */
function fingerprint({ command, env, cwd }: ProbeSpec): string {
  const stamps = command.slice(0, 3).map((path) => {
    try {
      const { mtimeMs, size, ino } = statSync(path);
      return `${mtimeMs}:${size}:${ino}`;
    } catch {
      return "";
    }
  });
  return JSON.stringify([command, env, cwd, stamps]);
}
