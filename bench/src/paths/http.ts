import { Agent, request } from "node:http";
import { join } from "node:path";
import type { Children } from "../children.ts";
import { TOOL_ARGUMENTS } from "../envelope.ts";
import type { StartCall } from "../measure.ts";
import { localPath, type PathPeer } from "./path.ts";

/** JSON over node:http on Unix sockets with connections kept open: what one would write first. */
export const httpPeer: PathPeer = {
  async start(children: Children) {
    const directory = children.directory();
    const socketPath = join(directory, "relay");
    await children.start("http.ts", [join(directory, "backend")]);
    const relay = await children.start("http.ts", [socketPath, join(directory, "backend")]);
    const agent = new Agent({ keepAlive: true, maxSockets: 256 });
    const body = JSON.stringify({ tool: "get_feature", arguments: TOOL_ARGUMENTS });
    const headers = { "content-type": "application/json" };
    const small: StartCall = (done) => {
      const outgoing = request({ socketPath, method: "POST", agent, headers }, (response) => {
        response.resume().once("end", done);
      });
      outgoing.end(body);
    };
    const bulk = () => {
      throw new Error("not measured");
    };
    return localPath("node:http JSON relay", { small, bulk }, relay, () => agent.destroy());
  },
};
