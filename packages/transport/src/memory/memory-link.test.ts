import { ErrorCode, HubError } from "@orchestrator/protocol";
import { testCarrier } from "../conformance/index.ts";
import { memoryLinkPair } from "./memory-link.ts";

testCarrier("memory", {
  names: { connecting: "left", accepting: "right" },
  connect: async (connecting, accepting) => {
    const [a, b] = memoryLinkPair({ accept: [connecting, accepting], names: ["left", "right"] });
    return {
      connecting: a,
      accepting: b,
      vanish: () => a.abort(new HubError(ErrorCode.Unavailable, "vanished")),
      [Symbol.asyncDispose]: async () => {
        await Promise.all([a.close(0), b.close(0)]);
      },
    };
  },
});
