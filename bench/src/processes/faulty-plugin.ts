/** `--id=ID --tool=NAME --fault=crash|hang|garbage|flood`: does to every call of its tool what the fault says. */
import { runBenchPlugin } from "../links/plugin.ts";
import { pluginFlags } from "../links/plugin-flags.ts";

const flags = pluginFlags();
const fault = flags.get("fault");
const GARBAGE = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff);
const LINES = `${"x".repeat(99)}\n`.repeat(20);

await runBenchPlugin(
  {
    id: flags.get("id")!,
    tool: flags.get("tool")!,
    answer: (link, call) => {
      if (fault === "crash") process.exit(1);
      if (fault === "flood") process.stderr.write(LINES);
      if (fault !== "hang") link.send(call, GARBAGE, true);
    },
  },
  flags,
);
