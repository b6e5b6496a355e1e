import { Argument } from "commander";
import type { AddCommand } from "../cli.ts";
import { LISTS, type List } from "../completion/words.ts";
import { HubClient } from "../hub/hub-client.ts";
import { workspaceWithHub } from "../hub/workspace.ts";
import type { Io } from "../io.ts";

/** Whoever waits for a word to be completed does not wait longer. */
const PATIENCE_MS = 2_000;
/** Shells expand what completes a word, and names come from plugins: what could be more than a name to a shell is left out. */
const HARMLESS = /^[\w.@:+/-]+$/;

/** For completion scripts: prints names, one a line. Nothing where there are none, whatever the reason. */
export const addComplete: AddCommand = (cli) => {
  cli.program
    .command("complete", { hidden: true })
    .description("Print what may complete a word")
    .addArgument(new Argument("<list>").choices([...LISTS]))
    .action(
      cli.action(async ({ io, report, args }) => {
        const names = await namesOf(io, args[0] as List).catch(() => []);
        for (const name of names.filter((name) => HARMLESS.test(name))) report.print(name);
        return undefined;
      }),
    );
};

async function namesOf(io: Io, list: List): Promise<readonly string[]> {
  const workspace = workspaceWithHub(io, undefined);
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    await using hub = await HubClient.open(workspace, signal);
    switch (list) {
      case "plugins":
        return (await hub.control({ $case: "plugins", value: {} }, "plugins", { signal })).plugins.map(({ id }) => id);
      case "tools":
        return (await hub.ask({ $case: "listTools", value: {} }, "listTools", { signal })).tools.map(
          ({ name }) => name,
        );
      case "prompts":
        return (await hub.ask({ $case: "listPrompts", value: {} }, "listPrompts", { signal })).prompts.map(
          ({ name }) => name,
        );
    }
  } catch {
    if (list !== "plugins") return [];
    const { parseHubConfig } = await import("../hub/default-config.ts");
    const { parsed } = await parseHubConfig(io, { workspace, isExplicit: false, config: undefined, flags: {} });
    return parsed.config?.plugins.map(({ id }) => id) ?? [];
  }
}
