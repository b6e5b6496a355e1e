import { existsSync } from "node:fs";
import { join } from "node:path";
import { openAuthority } from "@orchestrator/identity";
import { dialQuic } from "@orchestrator/transport-quic";
import type { Children } from "../children.ts";
import { TOOL_CALL } from "../envelope.ts";
import { LinkCaller } from "../links/caller.ts";
import { material } from "../links/plugin.ts";
import { buildGo } from "./go-build.ts";
import { localPath, type PathPeer } from "./path.ts";

/** A relay in Go on quic-go that decodes and encodes, as hosts in Go do, between our caller and a plugin in Go; where Go is. */
export const goPeer: PathPeer = {
  async start(children: Children) {
    const program = await buildGo();
    if (program === undefined || !existsSync(program)) return undefined;
    const certs = join(children.directory(), "certs");
    const authority = await openAuthority(certs, { algorithm: "ecdsa-p256" });
    for (const name of ["bench.relay", "bench.echo", "bench.caller"]) await authority.leaf(name);
    const echo = await children.run(program, ["echo", certs, "bench.echo"]);
    const relay = await children.run(program, ["relay", certs, "bench.relay", echo.line]);
    const caller = new LinkCaller();
    await dialQuic(relay.line, { tls: material(certs, "bench.caller") }, caller.accept);
    const bulk = () => {
      throw new Error("not measured");
    };
    return localPath(
      "Go relay on QUIC",
      { small: caller.starter(TOOL_CALL), bulk, failure: () => caller.failure },
      relay,
      () => caller.link.close(0),
    );
  },
};
