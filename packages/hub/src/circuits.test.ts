import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { CallId, Link } from "@orchestrator/transport";
import { describe, expect, it } from "vitest";
import { cancelOf, chunk, encode, type Member, Middle, request, tool } from "../test/middle.ts";

/** On a machine with much else to do. */
const FAILURES = 3;
const GARBAGE = Uint8Array.of(255, 255, 255);
const progress: Member = { $case: "progress", value: { progress: 1, total: 2, message: "" } };

/** A hub whose plugin has failed that often already, in the calls of the operator. */
async function after(failures: number, config: Record<string, unknown> = {}) {
  const middle = new Middle({ circuit: { failures: FAILURES, cool_down_ms: 1 }, ...config });
  const circuit = middle.entry.circuits.of("operator");
  middle.answer = (link, call) => link.send(call, GARBAGE, true);
  for (let n = 0; n < failures; n += 1) await middle.caller.call(request(false));
  expect(circuit.failures).toBe(failures);
  return { middle, circuit };
}

/** Of a plugin that says something before its last word; `end` says that. */
async function said(middle: Middle, message: Member, isStream: boolean) {
  const heard = Promise.withResolvers<{ link: Link; call: CallId }>();
  middle.answer = (link, call, { requestId }) => {
    link.send(call, encode(requestId, message), false);
    heard.resolve({ link, call });
  };
  const ended = middle.caller.call(request(isStream, 60_000));
  const { link, call } = await heard.promise;
  return { end: () => link.send(call, GARBAGE, true), ended };
}

describe("a sign of life", () => {
  it.each([
    ["a chunk of a stream", chunk(10), true],
    ["progress", progress, false],
  ])("makes good for all failures, and closes what is open: %s", async (_what, message, isStream) => {
    for (const failures of [FAILURES - 1, FAILURES]) {
      const { middle, circuit } = await after(failures);
      await expect.poll(() => circuit.waitMs(performance.now())).toBe(0);
      const { end, ended } = await said(middle, message, isStream);
      await expect.poll(() => circuit.failures).toBe(0);
      expect(circuit.isOpen).toBe(false);
      end();
      await ended;
      expect(circuit.failures).toBe(1);
    }
  });

  it("is an error in the form of another question, too", async () => {
    const { middle, circuit } = await after(FAILURES - 1);
    middle.answer = (link, call, { requestId }) => link.send(call, encode(requestId, tool(false)), true);
    await middle.caller.call(request(true));
    expect(circuit.failures).toBe(0);
  });
});

describe("what tells nothing", () => {
  it("is the end of a stream that its caller wanted to stop, and the loss of a link", async () => {
    const { middle, circuit } = await after(FAILURES - 1);
    middle.answer = (_link, call, { request: asked }) => {
      if (asked?.$case === "streamStart") middle.answer = (other) => other.cancel(call);
      void middle.caller.call(cancelOf("stop-me")).catch(() => {});
    };
    await middle.caller.call(request(true, 60_000, "stop-me"));
    expect(circuit.failures).toBe(FAILURES - 1);
    middle.answer = (link) => link.abort(new HubError(ErrorCode.Unavailable, "gone"));
    await middle.caller.call(request(false));
    expect(circuit.failures).toBe(FAILURES - 1);
  });

  it("is a refusal by a limit, also for the place of the trial", async () => {
    const { middle, circuit } = await after(FAILURES, { max_calls_in_flight: 1 });
    await expect.poll(() => circuit.waitMs(performance.now())).toBe(0);
    middle.entry.inFlight.begin(middle.entry.inFlight.shareOf({ id: "other", kind: "gateway" }), 1);
    await middle.caller.call(request(false));
    expect([circuit.isTrying, circuit.failures]).toEqual([false, FAILURES]);
  });

  it("is what comes from an instance that another one has taken over from", async () => {
    const { middle, circuit } = await after(FAILURES);
    await expect.poll(() => circuit.waitMs(performance.now())).toBe(0);
    const held = Promise.withResolvers<() => void>();
    middle.answer = (link, call, { requestId }) => held.resolve(() => link.send(call, encode(requestId, tool()), true));
    const trial = middle.caller.call(request(false));
    const answer = await held.promise;
    middle.connectPlugin();
    answer();
    await trial;
    expect([circuit.isOpen, circuit.isTrying]).toEqual([true, false]);
  });
});
