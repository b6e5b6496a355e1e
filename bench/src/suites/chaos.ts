import { PluginResponse } from "@orchestrator/protocol";
import type { Child, Children } from "../children.ts";
import { toolCall } from "../envelope.ts";
import { LinkCaller } from "../links/caller.ts";
import { material } from "../links/plugin.ts";
import { dialSocket } from "../links/socket.ts";
import type { LoadResult } from "../paths/load.ts";
import { type Pair, type Suite, summarize } from "../suite.ts";

/**
 * What a healthy plugin's callers feel of others that crash, hang, answer garbage and flood their logs. The same crowd on a hub of
 * its own tells what of that is the hub's doing, and what is the machine's, whose processors all of them share.
 */
export const chaosSuite: Suite = {
  name: "chaos",
  async run({ children, rounds, scale, progress }) {
    const here = await startHub(children);
    const elsewhere = await startHub(children);
    const caller = new LinkCaller();
    await dialSocket(here.socketAddress, { tls: material(here.certs, "orchestrator-gateway") }, caller.accept);
    const ms = Math.max(500, 3_000 * scale);
    const measure = async (): Promise<LoadResult> => {
      const answer = await caller.call(toolCall("drive", { tool: "echo", load: "sequential", ms }));
      const { response } = PluginResponse.decode(answer);
      if (response?.$case !== "toolCall" || !response.value.success) throw new Error("The caller failed");
      return JSON.parse(String((response.value.result as { text: string }).text)) as LoadResult;
    };
    const during = async (storm: Child): Promise<LoadResult> => {
      await storm.ask("storm");
      const result = await measure();
      await storm.ask("calm");
      return result;
    };
    await measure();
    const figures = { p50: [] as Pair[], p99: [] as Pair[], ownP50: [] as Pair[], ownP99: [] as Pair[] };
    for (let round = 0; round < rounds; round += 1) {
      progress(`chaos: round ${round + 1} of ${rounds}`);
      const ours = await during(here.storm);
      const other = await during(elsewhere.storm);
      const quiet = await measure();
      figures.p50.push({ ours: ours.p50Us, peer: quiet.p50Us });
      figures.p99.push({ ours: ours.p99Us, peer: quiet.p99Us });
      figures.ownP50.push({ ours: ours.p50Us, peer: other.p50Us });
      figures.ownP99.push({ ours: ours.p99Us, peer: other.p99Us });
    }
    await caller.link.close(0);
    const quietName = "the same while the others are quiet";
    const otherName = "the others on a hub of their own";
    return [
      summarize("p50/healthy-beside-faulty", "us", quietName, figures.p50),
      summarize("p99/healthy-beside-faulty", "us", quietName, figures.p99),
      summarize("p50/faulty-on-one-hub", "us", otherName, figures.ownP50),
      summarize("p99/faulty-on-one-hub", "us", otherName, figures.ownP99),
    ];
  },
};

interface StormyHub {
  readonly socketAddress: string;
  readonly certs: string;
  /** Calls the faulty plugins, when told to. */
  readonly storm: Child;
}

async function startHub(children: Children): Promise<StormyHub> {
  const hub = await children.start("chaos-hub.ts");
  const { socketAddress, certs } = JSON.parse(hub.line) as { socketAddress: string; certs: string };
  return { socketAddress, certs, storm: await children.start("storm.ts", [socketAddress, certs]) };
}
