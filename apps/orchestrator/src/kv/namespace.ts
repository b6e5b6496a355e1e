import { usage } from "../cli.ts";
import type { HubClient } from "../hub/hub-client.ts";

/**
 * Entries belong to the id in a plugin's manifest; the id in the configuration, which people know, may be another one.
 * @throws {CliError} usage, with the ids that there are, where none was named
 */
export async function chooseNamespace(hub: HubClient, named: string | undefined): Promise<string> {
  const { plugins } = await hub.control({ $case: "plugins", value: {} }, "plugins");
  if (named !== undefined) {
    if (plugins.some((plugin) => plugin.manifestId === named)) return named;
    return plugins.find((plugin) => plugin.id === named)?.manifestId || named;
  }
  const ids = plugins.map((plugin) => plugin.id);
  const known = ids.length === 0 ? "the configuration names no plugins" : `the plugins are ${ids.join(", ")}`;
  throw usage("Say whose entries are meant: --namespace ID", `For example: ${known}`);
}
