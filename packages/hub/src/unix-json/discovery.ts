import { realpathSync } from "node:fs";
import { HubError } from "@orchestrator/protocol";
import { candidates } from "./candidates.ts";
import type { Metadata } from "./metadata.ts";
import type { MetadataProbe } from "./metadata-probe.ts";

/** Programs that are asked what they are at the same time. */
const AT_ONCE = 4;

/** A program in a plugin directory, and what it says that it is. */
export interface FoundPlugin {
  /** As it stands in the directory, links included. */
  readonly file: string;
  readonly metadata: Metadata;
}

export interface Discovery {
  readonly found: readonly FoundPlugin[];
  /** One line per file or directory that cannot be used. */
  readonly problems: readonly string[];
}

export interface DiscoveryOptions {
  /** Absolute. One that is missing is made. */
  readonly directories: readonly string[];
  readonly probe: MetadataProbe;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Ids that are taken, and by whom. */
  readonly taken: ReadonlyMap<string, string>;
  /** Programs that the configuration starts itself. */
  readonly configured: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * Finds `*.binary` in directories and asks each what it is. One that cannot be used is a problem of its own, and the others go
 * on; of two with one id or one route the first in the order of directories and names is taken.
 */
export async function discover(options: DiscoveryOptions): Promise<Discovery> {
  const problems: string[] = [];
  const own = new Set(options.configured.map(realPath));
  const files = options.directories
    .flatMap((directory) => candidates(directory, problems))
    .filter((file) => !own.has(realPath(file)));
  const answers = await inTurns(files, async (file) => {
    const { probe, cwd, env, signal } = options;
    const question = { command: [file], cwd, env, ...(signal === undefined ? {} : { signal }) } as const;
    return await probe.read(question).catch((reason: unknown) => HubError.from(reason));
  });
  const ids = new Map(options.taken);
  const routes = new Map<string, string>();
  const found: FoundPlugin[] = [];
  for (const [index, file] of files.entries()) {
    const metadata = answers[index]!;
    const problem =
      metadata instanceof HubError ? metadata.message : (clash(metadata, ids, routes) ?? reserved(metadata));
    if (problem !== undefined || metadata instanceof HubError) {
      problems.push(`Skipped "${file}": ${problem}`);
      continue;
    }
    ids.set(metadata.id, `"${file}"`);
    routes.set(metadata.route, `"${file}"`);
    found.push({ file, metadata });
  }
  return { found, problems };
}

function clash({ id, route }: Metadata, ids: ReadonlyMap<string, string>, routes: ReadonlyMap<string, string>) {
  const byId = ids.get(id);
  if (byId !== undefined) return `its id "${id}" is that of ${byId}`;
  const byRoute = routes.get(route);
  return byRoute === undefined ? undefined : `its route "${route}" is that of ${byRoute}`;
}

function reserved({ id }: Metadata): string | undefined {
  return /^orchestrator($|-)/.test(id) ? `its id "${id}" is a name of the hub itself` : undefined;
}

/** Runs them a few at a time; the results are in the order of the items. */
async function inTurns<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await run(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  return results;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
