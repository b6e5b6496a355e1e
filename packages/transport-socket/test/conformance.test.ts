import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuthority } from "@orchestrator/identity";
import type { AcceptLink, Link } from "@orchestrator/transport";
import { testCarrier } from "@orchestrator/transport/conformance";
import { afterAll } from "vitest";
import { dialSocket, listenSocket, SocketLink } from "../src/index.ts";
import { socketPair } from "./support/sockets.ts";

const directory = mkdtempSync(join(tmpdir(), "orchestrator-socket-"));
const authority = await openAuthority(join(directory, "certs"), { algorithm: "ecdsa-p256" });
const tls = { connecting: await authority.leaf("plugin-client"), accepting: await authority.leaf("orchestrator") };
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let count = 0;

testCarrier("fd", {
  names: { connecting: "plugin", accepting: "hub" },
  connect: async (connecting, accepting) => {
    const [a, b] = await socketPair(join(directory, `pair-${count++}`));
    const options = { carrier: "fd", remoteAddress: "fd:3" } as const;
    const first = new SocketLink(a, { ...options, peer: "hub", isConnector: true }, connecting);
    const second = new SocketLink(b, { ...options, peer: "plugin", isConnector: false }, accepting);
    return {
      connecting: first,
      accepting: second,
      vanish: () => void a.destroy(),
      garbage: () => {},
      [Symbol.asyncDispose]: async () => {
        await Promise.all([first.close(0), second.close(0)]);
      },
    };
  },
});

for (const kind of ["unix", "tls"] as const) {
  testCarrier(kind, {
    names: { connecting: "plugin-client", accepting: "orchestrator" },
    connect: async (connecting, accepting) => {
      const address = kind === "unix" ? `unix:${join(directory, `u${count++}`)}` : "tls:127.0.0.1:0";
      const accepted = Promise.withResolvers<Link>();
      const accept: AcceptLink = (link) => {
        accepted.resolve(link);
        return accepting(link);
      };
      const listener = await listenSocket(address, { tls: tls.accepting }, accept);
      const link = await dialSocket(listener.address, { tls: tls.connecting }, connecting);
      return {
        connecting: link,
        accepting: await accepted.promise,
        [Symbol.asyncDispose]: async () => {
          await link.close(0);
          await listener.close(0);
        },
      };
    },
  });
}
