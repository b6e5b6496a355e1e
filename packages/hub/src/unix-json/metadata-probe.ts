import { statSync } from "node:fs";
import type { ProcessGuard } from "@orchestrator/supervisor";
import { askProgram } from "./ask-program.ts";
import { type Metadata, parseMetadata } from "./metadata.ts";

/** How long a program may take to print what it is, and how much that may be. */
const TIMEOUT_MS = 5_000;
const MAX_BYTES = 1024 * 1024;

export interface MetadataQuestion {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Asks programs what they are, each of them once, and again when it was replaced on disk. */
export class MetadataProbe {
  readonly #known = new Map<string, Metadata>();
  readonly #timeoutMs: number;
  readonly #guard: ProcessGuard | undefined;

  /** @param guard sees to it that nothing of a program stays behind */
  constructor(timeoutMs = TIMEOUT_MS, guard?: ProcessGuard) {
    this.#timeoutMs = timeoutMs;
    this.#guard = guard;
  }

  /** @throws {HubError} `START_FAILED`, `INVALID_ARGUMENT`: why it is no plugin */
  async read({ command, ...options }: MetadataQuestion): Promise<Metadata> {
    const key = JSON.stringify([command, command.map(stampOf)]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const limits = { timeoutMs: this.#timeoutMs, maxBytes: MAX_BYTES, guard: this.#guard };
    const metadata = parseMetadata(await askProgram([...command, "--metadata"], { ...options, ...limits }));
    this.#known.set(key, metadata);
    return metadata;
  }
}

/** Changes with the file. Arguments that are no files have none. */
function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? "" : `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
}
