import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { ErrorCode, HubError, manifestFromJson, type PluginManifest } from "@orchestrator/protocol";

/** How long a plugin may take to print its manifest. */
const PROBE_TIMEOUT_MS = 10_000;
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

export interface ProbeSpec {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Asks a program for its manifest with `--manifest`, which all kinds of Orchestra plugins answer with JSON on stdout. Its id
 * names the certificates that the plugin gets before it is started for real.
 */
export class ManifestProbe {
  readonly #known = new Map<string, PluginManifest>();

  /** @returns undefined when the program has no answer: it may be older than the question */
  async read(spec: ProbeSpec, signal: AbortSignal): Promise<PluginManifest | undefined> {
    const key = fingerprint(spec);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const text = await run(spec, signal);
    if (text === undefined) return undefined;
    const manifest = manifestFromJson(text);
    this.#known.set(key, manifest);
    return manifest;
  }
}

/** A program that was replaced on disk is asked anew. */
function fingerprint(spec: ProbeSpec): string {
  const stamps = spec.command.slice(0, 2).map((path) => {
    try {
      const { mtimeMs, size, ino } = statSync(path);
      return `${mtimeMs}:${size}:${ino}`;
    } catch {
      return "";
    }
  });
  return JSON.stringify([spec.command, spec.env, stamps]);
}

function run(spec: ProbeSpec, signal: AbortSignal): Promise<string | undefined> {
  const [program, ...args] = spec.command;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      [...args, "--manifest"],
      {
        cwd: spec.cwd,
        env: spec.env,
        timeout: PROBE_TIMEOUT_MS,
        killSignal: "SIGKILL",
        maxBuffer: MAX_MANIFEST_BYTES,
        signal,
      },
      (error, stdout) => {
        if (signal.aborted) reject(signal.reason);
        else if (stdout.trimStart().startsWith("{")) resolve(stdout);
        else if (error !== null && typeof error.code === "string" && error.code !== "ABORT_ERR") {
          reject(new HubError(ErrorCode.StartFailed, `Cannot run "${program}": ${error.message}`, { cause: error }));
        } else resolve(undefined);
      },
    );
    child.stdin?.end();
  });
}
