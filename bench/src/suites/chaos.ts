import { PluginResponse } from "@orchestrator/protocol";
import { toolCall } from "../envelope.ts";
import { LinkCaller } from "../links/caller.ts";
import { material } from "../links/plugin.ts";
import { dialSocket } from "../links/socket.ts";
import type { LoadResult } from "../paths/load.ts";
import { type Pair, type Suite, summarize } from "../suite.ts";

/** What a healthy plugin's callers feel of others that crash, hang, answer garbage and flood their logs. */
export const chaosSuite: Suite = {
  name: "chaos",
  async run({ children, rounds, scale, progress }) {
    const hub = await children.start("chaos-hub.ts");
    const { socketAddress, certs } = JSON.parse(hub.line) as Record<string, string>;
    const storm = await children.start("storm.ts", [socketAddress!, certs!]);
    const caller = new LinkCaller();
    await dialSocket(socketAddress!, { tls: material(certs!, "orchestrator-gateway") }, caller.accept);
    const ms = Math.max(500, 3_000 * scale);
    const measure = async (): Promise<LoadResult> => {
      const answer = await caller.call(toolCall("drive", { tool: "echo", load: "sequential", ms }));
      const { response } = PluginResponse.decode(answer);
      if (response?.$case !== "toolCall" || !response.value.success) throw new Error("The caller failed");
      return JSON.parse(String((response.value.result as { text: string }).text)) as LoadResult;
    };
    await measure();
    const p50: Pair[] = [];
    const p99: Pair[] = [];
    for (let round = 0; round < rounds; round += 1) {
      progress(`chaos: round ${round + 1} of ${rounds}`);
      await storm.ask("storm");
      const ours = await measure();
      await storm.ask("calm");
      const peer = await measure();
      p50.push({ ours: ours.p50Us, peer: peer.p50Us });
      p99.push({ ours: ours.p99Us, peer: peer.p99Us });
    }
    await caller.link.close(0);
    const peerName = "the same while the others are quiet";
    return [
      summarize("p50/healthy-beside-faulty", "us", peerName, p50),
      summarize("p99/healthy-beside-faulty", "us", peerName, p99),
    ];
  },
};
