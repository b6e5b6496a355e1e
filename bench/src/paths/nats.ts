import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Children } from "../children.ts";
import { TOOL_CALL } from "../envelope.ts";
import { NatsClient } from "./nats-client.ts";
import { localPath, type PathPeer } from "./path.ts";

/** NATS request and reply through a real server, where `nats-server` is in PATH. */
export const natsPeer: PathPeer = {
  async start(children: Children) {
    const program = (process.env["PATH"] ?? "")
      .split(delimiter)
      .map((directory) => join(directory, "nats-server"))
      .find((file) => existsSync(file));
    if (program === undefined) return undefined;
    const server = await children.start("nats-server.ts", [program, children.directory()]);
    await children.start("nats-responder.ts", [server.line]);
    const client = await NatsClient.connect(server.line);
    const bulk = () => {
      throw new Error("not measured");
    };
    const small = await client.requester("bench", TOOL_CALL);
    return localPath("NATS request/reply", { small, bulk }, server, () => client.close());
  },
};
