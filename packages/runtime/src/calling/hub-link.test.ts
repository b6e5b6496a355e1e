import { ErrorCode, HubError } from "@orchestrator/protocol";
import { type AcceptLink, type Link, memoryLinkPair } from "@orchestrator/transport";
import { expect, it } from "vitest";
import { RawPeer, type RawPeerOptions } from "../../test/support/raw-peer.ts";
import { createLog } from "../log.ts";
import { manifestOf } from "../plugin/manifest.ts";
import { limitsOf, ROOT_SCOPE } from "./call-scope.ts";
import { HubLink } from "./hub-link.ts";
import { LinkChannel } from "./link-channel.ts";

const accepted = (request: { request: { $case: string } | undefined }) =>
  request.request?.$case === "register"
    ? { response: { $case: "register" as const, value: { accepted: true, rejectReason: "" } } }
    : undefined;

/** A hub link over memory; `dial` may refuse. */
function setUp(options: RawPeerOptions = { answer: accepted }, beforeDial: (attempt: number) => void = () => {}) {
  const events: string[] = [];
  const logs: string[] = [];
  const peers: RawPeer[] = [];
  const channel = new LinkChannel();
  const changed: (() => void)[] = [];
  const note = (event: string) => {
    events.push(event);
    for (const wake of changed.splice(0)) wake();
  };
  let attempts = 0;
  const link = new HubLink({
    channel,
    manifest: manifestOf({ id: "p", version: "1" }),
    accept: () => ({ request() {}, message() {}, cancelled() {}, drained() {}, closed() {} }),
    async dial(accept: AcceptLink): Promise<Link> {
      beforeDial(++attempts);
      const peer = new RawPeer(options);
      peers.push(peer);
      return memoryLinkPair({ names: ["orchestrator", "p"], accept: [peer.accept, accept] })[1];
    },
    log: createLog((line) => logs.push(line)),
    onRegistered: () => note("registered"),
    onDown: (_reason, ever) => note(ever ? "lost" : "missing"),
    onRefused: (reason) => note(`refused: ${reason}`),
    backoff: { firstMs: 1, maxMs: 4 },
  });
  const until = async (count: number) => {
    while (events.length < count) await new Promise<void>((resolve) => changed.push(resolve));
  };
  return { link, channel, events, logs, peers, until };
}

it("registers again on every new link", async () => {
  const { link, channel, events, peers, until } = setUp();
  const running = link.run();
  await until(1);
  expect(channel.current?.link.peer).toBe("orchestrator");
  expect(link.isUp).toBe(true);
  peers[0]!.link.abort(new HubError(ErrorCode.Internal, "pulled"));
  await until(3);
  expect(events).toEqual(["registered", "lost", "registered"]);
  await link.stop(0);
  await running;
  expect(link.isUp).toBe(false);
});

it("tries again while there is nobody, and says so without end only to those who ask", async () => {
  const { link, events, logs, until } = setUp({ answer: accepted }, (attempt) => {
    if (attempt < 4) throw new HubError(ErrorCode.Unavailable, "nobody there");
  });
  const running = link.run();
  await until(4);
  expect(events).toEqual(["missing", "missing", "missing", "registered"]);
  expect(logs).toHaveLength(3);
  await link.stop(0);
  await running;
});

it("takes a clear no for an answer", async () => {
  const refuse = () => ({
    response: { $case: "register" as const, value: { accepted: false, rejectReason: "no room" } },
  });
  const { link, events } = setUp({ answer: refuse });
  await link.run();
  expect(events).toEqual(["refused: no room"]);
});

it("takes any other answer for a yes", async () => {
  const shrug = () => ({
    response: {
      $case: "toolCall" as const,
      value: { success: false, result: undefined, errorCode: "unknown_request", errorMessage: "what?" },
    },
  });
  const { link, events, until } = setUp({ answer: shrug });
  void link.run();
  await until(1);
  expect(events).toEqual(["registered"]);
  await link.stop(0);
});

it("fails what waits for a link when it is stopped", async () => {
  const { link, channel } = setUp({}, () => {
    throw new HubError(ErrorCode.Unavailable, "nobody there");
  });
  const running = link.run();
  const waiting = channel.ready(limitsOf(ROOT_SCOPE));
  await Promise.all([expect(waiting).rejects.toMatchObject({ code: ErrorCode.Unavailable }), link.stop(0)]);
  await running;
});
