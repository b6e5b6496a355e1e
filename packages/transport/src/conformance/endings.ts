import { ErrorCode, HubError } from "@orchestrator/protocol";
import { expect, it } from "vitest";
import type { CallId, Link } from "../link.ts";
import { LinkPeer } from "../peer/link-peer.ts";
import type { CarrierSetup } from "./carrier-pair.ts";
import { bytes, echo, pattern, Recorder, type Told } from "./recorder.ts";

const SEQUENTIAL_CALLS = 2_000;

/** How calls end: by their answer, by either side's cancellation, once, and without costing anything for ever. */
export function testEndings(setup: CarrierSetup): void {
  it("lets the opener cancel a call that waits for its answer", async () => {
    const a = new Recorder();
    const b = new Recorder((told, link) => {
      if (told.what === "request" && told.payload[0] === 2) echo(told, link);
    });
    await using _pair = await setup.connect(a.accept, b.accept);
    const call = a.link.open(bytes(1), true);
    const request = await b.until("request");
    a.link.cancel(call);
    const cancelled = await b.until("cancelled");
    expect([cancelled.call, cancelled.error.code]).toEqual([request.call, ErrorCode.Cancelled]);
    // What the answering side still says goes nowhere, and the canceller hears nothing.
    expect(b.link.send(request.call, bytes(1), true)).toBe(true);
    a.link.open(bytes(2), true);
    await a.until("message");
    expect(a.told.map((told) => told.what)).toEqual(["message"]);
  });

  it("lets either side cancel in the middle of a stream", async () => {
    const flood = (call: CallId, link: Link) => {
      while (link.send(call, pattern(8_192, 1), false)) if (!link.isOpen) return;
    };
    const a = new Recorder((told, link) => {
      if (told.what === "message") link.credit(told.call, told.payload.length);
    });
    const b = new Recorder((told, link) => {
      if (told.what === "request" || told.what === "drained") flood(told.call, link);
    });
    await using _pair = await setup.connect(a.accept, b.accept);
    const byOpener = a.link.open(bytes(1), true);
    await a.until("message", 50);
    a.link.cancel(byOpener);
    expect((await b.until("cancelled")).error.code).toBe(ErrorCode.Cancelled);

    const seen = a.told.length;
    const byAnswerer = a.link.open(bytes(2), true);
    await a.when(() => a.told.length >= seen + 50);
    b.link.cancel(b.all("request")[1]!.call);
    const cancelled = await a.until("cancelled");
    expect([cancelled.call, cancelled.error.code]).toEqual([byAnswerer, ErrorCode.Cancelled]);
    expect(b.all("cancelled")).toHaveLength(1);
  });

  it("takes the message before a bare end for the answer, as peers send it that end their stream afterwards", async () => {
    const b = new Recorder((told, link) => {
      if (told.what !== "request") return;
      link.send(told.call, bytes(7, 7), false);
      link.send(told.call, bytes(), true);
    });
    const a = new LinkPeer();
    await using _pair = await setup.connect(a.accept, b.accept);
    expect([...(await a.call(bytes(1)))]).toEqual([7, 7]);
    const streamed: number[][] = [];
    for await (const message of a.stream(bytes(1))) streamed.push([...message]);
    expect(streamed).toEqual([[7, 7]]);
  });

  it("refuses calls one by one", async () => {
    const [a, b] = [new LinkPeer(), new LinkPeer()];
    await using _pair = await setup.connect(a.accept, b.accept);
    await expect(a.call(bytes(1))).rejects.toMatchObject({ code: ErrorCode.Cancelled });
  });

  it("ends a call by its answer even if the opener has more to say", async () => {
    const a = new Recorder();
    const b = new Recorder(echo);
    await using _pair = await setup.connect(a.accept, b.accept);
    const call = a.link.open(bytes(1), false);
    const answer = await a.until("message");
    expect(answer.last).toBe(true);
    expect(a.link.send(call, pattern(100_000, 1), true)).toBe(true);
    a.link.cancel(call);
    a.link.open(bytes(2), true);
    await a.until("message", 2);
    expect([a.all("cancelled"), b.all("cancelled")]).toEqual([[], []]);
  });

  it(`never runs out of calls: ${SEQUENTIAL_CALLS} that end in every way there is`, async () => {
    const a = new Recorder();
    const b = new Recorder((told, link) => {
      if (told.what !== "request") return;
      const kind = told.payload[0]!;
      if (kind === REFUSE) link.cancel(told.call);
      else if (kind === STREAM) while (link.send(told.call, pattern(60_000, 1), false));
      else if (kind !== WAIT) link.send(told.call, told.payload, true);
    });
    await using _pair = await setup.connect(a.accept, b.accept);
    for (let round = 0; round < SEQUENTIAL_CALLS; round++) await endCall(a, b, round % KINDS);
    expect(a.told.filter((told) => told.what === "closed")).toEqual([]);
    const call = a.link.open(bytes(ANSWER), true);
    await a.when(() => a.told.some((told) => told.what === "message" && told.call === call && told.last));
  }, 60_000);

  it("ends every call exactly once", async () => {
    const ends = new Map<CallId, number>();
    const count = (told: Told) => {
      const ended = told.what === "cancelled" || (told.what === "message" && told.last);
      if (ended) ends.set(told.call, (ends.get(told.call) ?? 0) + 1);
    };
    const a = new Recorder(count);
    const b = new Recorder((told, link) => {
      if (told.what !== "request") return;
      if (told.payload[0] === 0) link.cancel(told.call);
      else if (told.payload[0] === 1) echo(told, link);
    });
    await using pair = await setup.connect(a.accept, b.accept);
    const calls = Array.from({ length: 90 }, (_, index) => a.link.open(bytes(index % 3), true));
    await a.when(() => ends.size === 60);
    pair.connecting.abort(new HubError(ErrorCode.Unavailable, "test"));
    expect(ends.size).toBe(calls.length);
    expect(new Set(ends.values())).toEqual(new Set([1]));
    expect(a.all("closed")).toHaveLength(1);
    await b.until("closed");
    expect(b.all("cancelled")).toHaveLength(30);
  });
}

const ANSWER = 0;
const REFUSE = 1;
/** The opener cancels before there is an answer. */
const WAIT = 2;
/** The opener has more to say when the answer comes, and says it too late. */
const EARLY = 3;
/** The opener cancels in the middle of the answer. */
const STREAM = 4;
const KINDS = 5;

/** One call of `a` to `b`, until it has ended. */
async function endCall(a: Recorder, b: Recorder, kind: number): Promise<void> {
  a.told.length = 0;
  b.told.length = 0;
  const call = a.link.open(bytes(kind), kind !== EARLY);
  if (kind === WAIT) await b.until("request");
  else if (kind === REFUSE) await a.until("cancelled");
  else await a.until("message");
  if (kind === EARLY) a.link.send(call, bytes(1), true);
  if (kind !== WAIT && kind !== STREAM) return;
  a.link.cancel(call);
  await b.until("cancelled");
}
