import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type Link, LinkPeer, memoryLinkPair } from "@orchestrator/transport";
import { expect, it } from "vitest";
import { DeadlineWheel } from "./deadline-wheel.ts";
import { EventBus } from "./event-bus.ts";
import { HubLog } from "./hub-log.ts";
import { PeerRegistry } from "./peer-registry.ts";

function setUp() {
  const log = new HubLog();
  const events = new EventBus(new DeadlineWheel(), () => {});
  const registry = new PeerRegistry({ log, events, rules: [], findPlugin: () => undefined, onRequest: () => {} });
  let link: Link | undefined;
  const peer = new LinkPeer();
  memoryLinkPair({
    accept: [
      (accepted) => {
        link = accepted;
        return registry.accept(accepted, { id: "x", kind: "gateway" }, undefined);
      },
      peer.accept,
    ],
  });
  return { log, registry, link: link!, peer };
}

it.each([
  [ErrorCode.Unavailable, "debug"],
  [ErrorCode.Protocol, "warn"],
  [ErrorCode.FrameTooLarge, "warn"],
  [ErrorCode.Internal, "warn"],
])("logs a link that ends with %s as %s", (code, level) => {
  const { log, registry, link } = setUp();
  expect(registry.clientLinks).toBe(1);
  link.abort(new HubError(code, "why"));
  expect(log.tail(10)).toMatchObject([{ level, source: "hub", text: 'The link of "x" ended: why' }]);
  expect(registry.clientLinks).toBe(0);
});

it("takes nobody for the operator or a gateway by the look of a name", () => {
  const { registry } = setUp();
  const who = (commonName: string) => registry.identify(commonName).caller;
  expect(who("orchestrator-operator")).toEqual({ id: "operator", kind: "operator" });
  for (const id of ["transport.stdio", "transport.quic-bridge", "transport.webtransport"]) {
    expect(who(`${id}-client`)).toEqual({ id, kind: "gateway" });
    expect(who(id)).toEqual({ id: `peer:${id}`, kind: "plugin" });
  }
  for (const name of ["operator", "operator-client", "tcp-client", "Anonymous-client", "hub"]) {
    expect(who(name)).toEqual({ id: `peer:${name}`, kind: "plugin" });
  }
  expect(who("tools.a-client")).toEqual({ id: "tools.a", kind: "plugin" });
  expect(who("")).toEqual({ id: "anonymous", kind: "anonymous" });
});

it("gives one peer 512 connections and no more, others as many", async () => {
  const { log, registry } = setUp();
  const connect = (id: string) => {
    const peer = new LinkPeer();
    memoryLinkPair({ accept: [(link) => registry.accept(link, { id, kind: "plugin" }, undefined), peer.accept] });
    return peer;
  };
  const many = Array.from({ length: 513 }, () => connect("greedy"));
  const other = connect("modest");
  await many[512]!.link.closed;
  expect(log.tail(10).map(({ text }) => text)).toContain('Refused a peer: "greedy" has 512 connections already');
  expect(many.filter(({ link }) => link.isOpen)).toHaveLength(512);
  expect(other.link.isOpen).toBe(true);
  await many[0]!.link.close();
  expect(connect("greedy").link.isOpen).toBe(true);
});

it("logs nothing of a link that ends in peace", async () => {
  const { log, link, peer } = setUp();
  await peer.link.close();
  await link.closed;
  expect(log.tail(10)).toEqual([]);
});
