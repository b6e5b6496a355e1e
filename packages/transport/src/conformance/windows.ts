import { expect, it } from "vitest";
import { CALL_WINDOW_BYTES, type CallId, type Link } from "../link.ts";
import { LinkPeer } from "../peer/link-peer.ts";
import type { CarrierSetup } from "./carrier-pair.ts";
import { bytes, echo, firstDifference, pattern, Recorder, type Told } from "./recorder.ts";

const PIECE_BYTES = 16 * 1024;
const PIECE = pattern(PIECE_BYTES, 0);
/** Far more than a carrier may take in without credit: its window at both ends, plus what the system buffers. */
const ENDLESS_BYTES = 64 * 1024 * 1024;
const BOUND_BYTES = 16 * 1024 * 1024;

/** Windows: who does not take what was sent is not sent more, and harms nobody else. */
export function testWindows(setup: CarrierSetup): void {
  it("stops the sender of a call whose receiver gives no credit, and lets it go on when it does", async () => {
    const sender = new Sender();
    const b = new Recorder((told, link) => {
      if (told.what === "request" && told.payload[0] === 0) echo(told, link);
      else sender.react(told, link);
    });
    const a = new Recorder();
    await using _pair = await setup.connect(a.accept, b.accept);
    const call = a.link.open(bytes(1), true);
    await a.when(() => received(a) >= CALL_WINDOW_BYTES);
    await b.when(() => sender.stopped);
    await roundTrips(a, 50);
    expect(sender.stopped).toBe(true);
    expect(sender.sentBytes).toBeLessThan(BOUND_BYTES);

    const stoppedAt = sender.sentBytes;
    a.react = credit;
    a.link.credit(call, received(a));
    await b.when(() => sender.sentBytes > stoppedAt + 4 * CALL_WINDOW_BYTES);
    expect(b.all("drained").length).toBeGreaterThan(0);
    a.link.cancel(call);
    await b.until("cancelled");
  });

  it("stops the sender of requests too", async () => {
    const sender = new Sender();
    const a = new Recorder((told, link) => sender.react(told, link));
    const b = new Recorder((told, link) => {
      if (told.what === "request" && told.last) echo(told, link);
    });
    await using _pair = await setup.connect(a.accept, b.accept);
    const call = a.link.open(bytes(0), false);
    sender.run(call, a.link);
    await b.when(() => received(b) >= CALL_WINDOW_BYTES);
    await a.when(() => sender.stopped);
    await roundTrips(a, 50);
    expect(sender.stopped).toBe(true);
    expect(sender.sentBytes).toBeLessThan(BOUND_BYTES);

    const drained = a.all("drained").length;
    a.react = undefined;
    b.react = credit;
    b.link.credit(b.all("request")[0]!.call, received(b));
    await a.until("drained", drained + 1);
    a.link.send(call, bytes(9), true);
    await b.when(() => b.all("message").some((told) => told.last));
    expect(b.all("message").at(-1)!.payload[0]).toBe(9);
    expect(b.all("message")).toHaveLength(sender.sentBytes / PIECE_BYTES + 1);
  });

  it("does not let stalled calls stop others", async () => {
    const sender = new Map<CallId, Sender>();
    const b = new Recorder((told, link) => {
      if (told.what === "request" && told.payload[0] !== 1) return echo(told, link);
      if (told.what === "closed") return;
      const own = sender.get(told.call) ?? new Sender();
      sender.set(told.call, own);
      own.react(told, link);
    });
    const stalled = new Recorder();
    await using _pair = await setup.connect(stalled.accept, b.accept);
    const ids = Array.from({ length: 40 }, () => stalled.link.open(bytes(1), true));
    await b.when(() => sender.size === ids.length && [...sender.values()].every((own) => own.stopped));
    // Several times what any shared window could hold goes through beside them.
    for (let round = 0; round < 64; round++) {
      const payload = pattern(CALL_WINDOW_BYTES, round);
      const call = stalled.link.open(payload, true);
      const isAnswer = (told: Told) => told.what === "message" && told.call === call && told.last;
      await stalled.when(() => stalled.told.slice(-1).some(isAnswer));
      const answer = stalled.told.findLast(isAnswer) as { payload: Uint8Array };
      expect(firstDifference(answer.payload, payload)).toBe(-1);
    }
    for (const id of ids) stalled.link.cancel(id);
    await b.until("cancelled", ids.length);
  });

  it("streams through promises at the pace of the consumer", async () => {
    const server = new LinkPeer(async (call) => {
      for (let index = 0; index < 200; index++) await call.reply(pattern(PIECE_BYTES, index), index === 199);
    });
    const client = new LinkPeer();
    await using _pair = await setup.connect(client.accept, server.accept);
    let index = 0;
    for await (const piece of client.stream(bytes(1))) {
      expect(firstDifference(piece, pattern(PIECE_BYTES, index++))).toBe(-1);
    }
    expect(index).toBe(200);
    expect([client.openCalls, server.openCalls]).toEqual([0, 0]);
  });
}

/** Sends pieces on a call as long as there is room. */
class Sender {
  sentBytes = 0;
  stopped = false;

  react(told: Told, link: Link): void {
    if (told.what === "request" || told.what === "drained") this.run(told.call, link);
  }

  run(call: CallId, link: Link): void {
    this.stopped = false;
    while (this.sentBytes < ENDLESS_BYTES && !this.stopped) {
      this.sentBytes += PIECE_BYTES;
      this.stopped = !link.send(call, PIECE, false);
    }
  }
}

/** Takes what arrived as used up. */
function credit(told: Told, link: Link): void {
  if (told.what === "message" && !told.last) link.credit(told.call, told.payload.length);
}

/** Calls that are answered at once, one after the other: whatever was under way has had its chance after them. */
async function roundTrips(recorder: Recorder, count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    const call = recorder.link.open(bytes(0), true);
    await recorder.when(() =>
      recorder.told.slice(-50).some((told) => told.what === "message" && told.call === call && told.last),
    );
  }
}

function received(recorder: Recorder): number {
  let sum = 0;
  for (const told of recorder.told) {
    if (told.what === "message" && !told.last) sum += told.payload.length;
    if (told.what === "request" && !told.last) sum += told.payload.length;
  }
  return sum;
}
