import { join } from "node:path";
import { startPlugin } from "../paths/plugin-start.ts";
import { type Pair, type Suite, summarize } from "../suite.ts";

const PLUGIN = join(import.meta.dirname, "..", "processes", "echo-plugin.ts");

/** From the moment at which a plugin is killed until it answers calls again, beside the plugin's own start. */
export const recoverSuite: Suite = {
  name: "recover",
  async run({ children, rounds, progress }) {
    const hub = await children.start("recover-hub.ts");
    const pairs: Pair[] = [];
    const args = ["--id=bench.echo", "--tool=echo"];
    // As a hub starts it, with its code compiled before.
    const cached = { NODE_COMPILE_CACHE: children.directory() };
    await startPlugin(PLUGIN, cached, args);
    for (let round = 0; round < rounds; round += 1) {
      progress(`recover: round ${round + 1} of ${rounds}`);
      const ours = Number(await hub.ask("crash"));
      const { ms: peer } = await startPlugin(PLUGIN, cached, args);
      pairs.push({ ours, peer });
    }
    return [summarize("crash-to-serving/small-plugin", "ms", "the plugin's own start", pairs)];
  },
};
