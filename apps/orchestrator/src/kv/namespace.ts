import { usage } from "../cli.ts";
import type { HubClient } from "../hub/hub-client.ts";
import { unknownPlugin } from "../hub/unknown-plugin.ts";

/**
 * Entries belong to the id in a plugin's manifest; the id in the configuration, which people know, may be another one.
 * @throws {CliError} usage, with the ids that there are, where none was named
 */
export async function chooseNamespace(
  hub: HubClient,
  named: string | undefined,
  onUnknown: (warning: string) => void = () => {},
): Promise<string> {
  const { plugins } = await hub.control({ $case: "plugins", value: {} }, "plugins");
  const ids = plugins.map((plugin) => plugin.id);
  if (named !== undefined) {
    if (plugins.some((plugin) => plugin.manifestId === named)) return named;
    // Entries of a plugin that is gone, or that joins by itself, may still be meant.
    if (!ids.includes(named)) onUnknown(unknownPlugin(named, ids));
    return plugins.find((plugin) => plugin.id === named)?.manifestId || named;
  }
  const known = ids.length === 0 ? "The configuration names no plugins" : `The plugins here are ${ids.join(", ")}`;
  throw usage("Say whose entries are meant: --namespace ID", known);
}
