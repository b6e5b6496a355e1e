import { ErrorCode, HubError, PluginResponse, toWireError } from "@orchestrator/protocol";
import { type Link, LinkPeer, memoryLinkPair } from "@orchestrator/transport";
import { expect, it } from "vitest";
import { FollowedAnswer, type FollowSource } from "./followed-answer.ts";
import { kvResponse } from "./kv-response.ts";
import { Port } from "./port.ts";

/** A caller that follows; each step of the iterator reads one message. */
function follow(source: FollowSource) {
  const answer = Promise.withResolvers<FollowedAnswer>();
  const caller = new LinkPeer();
  memoryLinkPair({
    accept: [
      (link: Link) =>
        new Port(link, { id: "operator", kind: "operator" }, undefined, {
          request: (port, call) => answer.resolve(new FollowedAnswer({ port, call, requestId: "r" }, source)),
          portClosed: () => {},
          portFailed: () => {},
        }),
      caller.accept,
    ],
  });
  return { messages: caller.stream(new Uint8Array()), answer: answer.promise };
}

it("ends with the error of a source that cannot be read any more, and tells the source once", async () => {
  const broken = new HubError(ErrorCode.Internal, "the file is gone");
  let asked = 0;
  let ended = 0;
  const { messages } = follow({
    next: () => {
      asked += 1;
      if (asked === 2) throw broken;
      return kvResponse({});
    },
    ended: () => {
      ended += 1;
    },
  });
  expect(PluginResponse.decode((await messages.next()).value!).error).toBeUndefined();
  const { error } = PluginResponse.decode((await messages.next()).value!);
  expect(error).toMatchObject(toWireError(broken));
  expect((await messages.next()).done).toBe(true);
  expect({ asked, ended }).toEqual({ asked: 2, ended: 1 });
});

it("asks for no message when nobody follows any more", async () => {
  const waiting = [kvResponse({})];
  let asked = 0;
  const ended = Promise.withResolvers<void>();
  const { messages, answer } = follow({
    next: () => {
      asked += 1;
      return waiting.shift();
    },
    ended: ended.resolve,
  });
  await messages.next();
  await messages.return();
  await ended.promise;
  asked = 0;
  (await answer).wake();
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(asked).toBe(0);
});
