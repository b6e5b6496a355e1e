import { type Discovery, discover } from "./discovery.ts";
import { MetadataProbe } from "./metadata-probe.ts";

/** Asks every `*.binary` of a directory what it is, for those who do not run a hub. */
export async function discoverPrograms(
  directory: string,
  { env, signal }: { readonly env: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<Discovery> {
  const options = { directories: [directory], cwd: directory, env, signal, configured: [], taken: new Map() };
  return await discover({ ...options, probe: new MetadataProbe() });
}
