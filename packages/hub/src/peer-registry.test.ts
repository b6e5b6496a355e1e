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

it("logs nothing of a link that ends in peace", async () => {
  const { log, link, peer } = setUp();
  await peer.link.close();
  await link.closed;
  expect(log.tail(10)).toEqual([]);
});
