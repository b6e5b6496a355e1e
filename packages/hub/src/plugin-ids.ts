import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { PluginEntry } from "./plugin-entry.ts";

/** Names of the hub, of gateways and of whoever else calls without being a plugin: rules and plugins go by them. */
const RESERVED =
  /^(?:hub|operator|anonymous|tcp|ca|orchestrator(?:-.*)?|orchestra-host(?:-.*)?|transport\.(?:stdio|quic-bridge|webtransport)|.*-client)$/i;

export function isReservedId(id: string): boolean {
  return RESERVED.test(id);
}

/** @throws {HubError} `INVALID_ARGUMENT` for an id under which a plugin would be taken for somebody else */
export function checkPluginId(plugin: string, id: string): void {
  if (!isReservedId(id)) return;
  const what = `Plugin "${plugin}" says that it is "${id}", which is a name of the hub or of a gateway`;
  throw new HubError(ErrorCode.InvalidArgument, what);
}

/**
 * The id in the manifest becomes the plugin's identity, so no two plugins may have the same. The first in the config has it; the
 * others have none, and are told so when they start.
 * @param answers in config order: the id that each program printed, if it did; the config's id stands in for it
 * @param holders plugins that are not asked, because they have theirs
 */
export function claimIds(
  answers: readonly (readonly [PluginEntry, string | undefined])[],
  holders: readonly PluginEntry[] = [],
): void {
  const taken = new Set(holders.map(({ manifestId }) => manifestId));
  for (const [plugin, printed] of answers) {
    const id = printed ?? plugin.config.id;
    plugin.manifestId = taken.has(id) || isReservedId(id) ? "" : id;
    taken.add(id);
  }
}
