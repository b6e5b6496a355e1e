import { join } from "node:path";
import type { Children } from "../children.ts";
import { grpcCaller } from "./grpc-caller.ts";
import { localPath, type PathPeer } from "./path.ts";

/** gRPC on Unix sockets; the one in the middle passes bytes on without looking at them. */
export const grpcPeer: PathPeer = {
  async start(children: Children) {
    const directory = children.directory();
    const socket = (name: string) => `unix:${join(directory, name)}`;
    await children.start("grpc.ts", [socket("backend")]);
    const relay = await children.start("grpc.ts", [socket("relay"), socket("backend")]);
    const caller = grpcCaller(socket("relay"));
    return localPath("grpc-js relay", caller, relay, () => caller.close());
  },
};
