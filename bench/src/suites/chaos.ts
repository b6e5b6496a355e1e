import { PluginResponse } from "@orchestrator/protocol";
import type { Child, Children } from "../children.ts";
import { toolCall } from "../envelope.ts";
import { LinkCaller } from "../links/caller.ts";
import { material } from "../links/plugin.ts";
import { dialSocket } from "../links/socket.ts";
import type { LoadResult } from "../paths/load.ts";
import { type Pair, type Suite, summarize } from "../suite.ts";

/** How often the faulty plugins are called, all four together. */
const STORMS = [
  { name: "40-faults/s", pauseMs: 100 },
  { name: "400-faults/s", pauseMs: 10 },
] as const;

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
    const during = async (storm: Child, pauseMs: number): Promise<LoadResult> => {
      await storm.ask(`storm ${pauseMs}`);
      const result = await measure();
      await storm.ask("calm");
      return result;
    };
    await measure();
    const figures = STORMS.map(() => ({ p50: [] as Pair[], p99: [] as Pair[], own: [] as Pair[] }));
    for (let round = 0; round < rounds; round += 1) {
      progress(`chaos: round ${round + 1} of ${rounds}`);
      const quiet = await measure();
      for (const [index, { pauseMs }] of STORMS.entries()) {
        const ours = await during(here.storm, pauseMs);
        const other = await during(elsewhere.storm, pauseMs);
        const { p50, p99, own } = figures[index]!;
        p50.push({ ours: ours.p50Us, peer: quiet.p50Us });
        p99.push({ ours: ours.p99Us, peer: quiet.p99Us });
        own.push({ ours: ours.p99Us, peer: other.p99Us });
      }
    }
    await caller.link.close(0);
    return figures.flatMap(({ p50, p99, own }, index) => {
      const storm = STORMS[index]!.name;
      return [
        summarize(`p50/healthy-beside-${storm}`, "us", "the same while the others are quiet", p50),
        summarize(`p99/healthy-beside-${storm}`, "us", "the same while the others are quiet", p99),
        summarize(`p99/one-hub-for-${storm}`, "us", "the others on a hub of their own", own),
      ];
    });
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
