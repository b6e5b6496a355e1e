/** An ordinary small plugin of the runtime. Its id is an argument: a hub that runs a hundred of them needs a hundred names. */
import { definePlugin, tool } from "@orchestrator/runtime";
import { pluginFlags } from "../links/plugin-flags.ts";

const id = pluginFlags().get("bench-id") ?? "bench.small";
await definePlugin({
  id,
  version: "1.0.0",
  description: "Says hello",
  flags: { "bench-id": "" },
  tools: {
    [`hello_${id.replaceAll(/\W/g, "_")}`]: tool({
      description: "Says hello",
      input: { type: "object", properties: {} },
      run: () => "hello",
    }),
  },
}).serve();
