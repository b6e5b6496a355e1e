/**
 * Calls the tools of faulty plugins without end: `storm MS` on stdin starts that, with so many milliseconds between two calls of
 * one of them, `calm` stops it; each is answered when it is so. Arguments: the hub's socket, the certificates.
 */
import { createInterface } from "node:readline";
import { LinkPeer } from "@orchestrator/transport";
import { toolCall } from "../envelope.ts";
import { material } from "../links/plugin.ts";
import { dialSocket } from "../links/socket.ts";

export const FAULTS = ["crash", "hang", "garbage", "flood"] as const;

async function run(address: string, certs: string): Promise<void> {
  const peer = new LinkPeer();
  await dialSocket(address, { tls: material(certs, "orchestrator-gateway") }, peer.accept);
  /** Between two calls; undefined while it is calm. */
  let pauseMs: number | undefined;
  let over = Promise.resolve<unknown>(undefined);
  const blow = async (tool: string) => {
    const call = toolCall(tool, {});
    while (pauseMs !== undefined) {
      await peer.call(call, { timeoutMs: 20 }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  createInterface({ input: process.stdin })
    .on("line", async (line) => {
      const [order, pause] = line.split(" ");
      pauseMs = order === "storm" ? Number(pause) : undefined;
      if (pauseMs !== undefined) over = Promise.all(FAULTS.map(blow));
      else await over;
      process.stdout.write(`${line}\n`);
    })
    .once("close", () => process.exit(0));
  process.stdout.write("ready\n");
}

if (import.meta.main) await run(process.argv[2]!, process.argv[3]!);
