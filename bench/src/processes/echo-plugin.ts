/** The smallest plugin there is: `--id=ID --tool=NAME [--carrier=quic]`, answers every call of its tool at once. */
import { EchoService } from "../links/echo.ts";
import { runBenchPlugin } from "../links/plugin.ts";
import { pluginFlags } from "../links/plugin-flags.ts";

const flags = pluginFlags();
const service = new EchoService();
await runBenchPlugin(
  {
    id: flags.get("id")!,
    tool: flags.get("tool")!,
    answer: (link, call, payload, peek) => service.answer(link, call, payload, peek),
  },
  flags,
);
