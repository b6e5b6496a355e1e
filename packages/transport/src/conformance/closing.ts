import { ErrorCode, HubError } from "@orchestrator/protocol";
import { expect, it } from "vitest";
import { LinkPeer } from "../peer/link-peer.ts";
import type { CarrierSetup } from "./carrier-pair.ts";
import { bytes, echo, pattern, Recorder } from "./recorder.ts";

const reason = new HubError(ErrorCode.ResourceExhausted, "had enough");
/** More than a test takes: what is under way has the time that it needs. */
const GRACE_MS = 60_000;

/** How links end: gracefully, at once, and by accident. */
export function testClosing(setup: CarrierSetup): void {
  it("closes gracefully: calls under way finish, then both sides hear of it, without an error", async () => {
    const a = new Recorder();
    const b = new Recorder();
    await using pair = await setup.connect(a.accept, b.accept);
    a.link.open(bytes(1), true);
    const request = await b.until("request");
    const closed = pair.connecting.close(GRACE_MS);
    expect(pair.connecting.isOpen).toBe(false);
    b.link.send(request.call, bytes(2), true);
    await closed;
    await b.until("closed");
    expect(a.told.map((told) => told.what)).toEqual(["message", "closed"]);
    expect([a.all("closed")[0]!.error, b.all("closed")[0]!.error]).toEqual([undefined, undefined]);
    expect(b.all("cancelled")).toEqual([]);
    expect(pair.accepting.isOpen).toBe(false);
    await pair.accepting.closed;
  });

  it("delivers what was sent before close, large answers too", async () => {
    const a = new Recorder((told, link) => {
      if (told.what === "message" && !told.last) link.credit(told.call, told.payload.length);
    });
    const b = new Recorder((told, link) => {
      if (told.what !== "request") return;
      for (let index = 0; index < 40; index++) link.send(told.call, pattern(30_000, index), index === 39);
      void link.close(GRACE_MS);
    });
    await using _pair = await setup.connect(a.accept, b.accept);
    a.link.open(bytes(1), true);
    await a.until("closed");
    expect(a.all("message")).toHaveLength(40);
    expect(a.all("message").at(-1)!.last).toBe(true);
    expect(a.all("closed")[0]!.error).toBeUndefined();
  });

  it("takes no new calls once it closes, of either side, and may be closed again", async () => {
    const a = new Recorder();
    const b = new Recorder();
    await using pair = await setup.connect(a.accept, b.accept);
    a.link.open(bytes(1), true);
    const request = await b.until("request");
    const closed = [pair.connecting.close(GRACE_MS), pair.connecting.close(2 * GRACE_MS)];
    expect(() => pair.connecting.open(bytes(1), true)).toThrowError(
      expect.objectContaining({ code: ErrorCode.Unavailable }),
    );
    if (pair.accepting.isOpen) {
      pair.accepting.open(bytes(1), true);
      expect((await b.until("cancelled")).error.code).toBe(ErrorCode.Unavailable);
    }
    b.link.send(request.call, bytes(2), true);
    await Promise.all(closed);
    await pair.connecting.close();
    expect(() => pair.connecting.open(bytes(1), true)).toThrowError(
      expect.objectContaining({ code: ErrorCode.Unavailable }),
    );
    expect(a.all("request")).toEqual([]);
  });

  it("cancels what has not finished when the grace is over", async () => {
    const a = new Recorder();
    const b = new Recorder();
    await using pair = await setup.connect(a.accept, b.accept);
    a.link.open(bytes(1), true);
    await b.until("request");
    void pair.connecting.close(GRACE_MS);
    await pair.connecting.close(1);
    await b.until("closed");
    expect([a.all("cancelled")[0]!.error.code, b.all("cancelled")[0]!.error.code]).toEqual([
      ErrorCode.Unavailable,
      ErrorCode.Unavailable,
    ]);
    expect(a.told.at(-1)!.what).toBe("closed");
    expect(b.told.at(-1)!.what).toBe("closed");
  });

  it("aborts at once: open calls are cancelled with the reason, the peer sees UNAVAILABLE", async () => {
    const a = new Recorder();
    const b = new Recorder();
    await using pair = await setup.connect(a.accept, b.accept);
    for (let index = 0; index < 5; index++) a.link.open(bytes(1), true);
    await b.until("request", 5);
    b.link.open(bytes(2), true);
    await a.until("request");
    pair.connecting.abort(reason);
    expect(a.all("cancelled").map((told) => told.error)).toEqual(Array(6).fill(reason));
    expect(a.told.at(-1)).toEqual({ what: "closed", error: reason });
    pair.connecting.abort(reason);
    await pair.connecting.close();
    await b.until("closed");
    expect(b.all("cancelled").map((told) => told.error.code)).toEqual(Array(6).fill(ErrorCode.Unavailable));
    expect(b.all("closed")[0]!.error?.code).toBe(ErrorCode.Unavailable);
    expect(a.all("closed")).toHaveLength(1);
  });

  it("may be aborted and cancelled from inside the handler", async () => {
    const a = new Recorder();
    const b = new Recorder((told, link) => {
      if (told.what !== "request") return;
      link.cancel(told.call);
      link.abort(reason);
      link.send(told.call, bytes(1), true);
    });
    await using _pair = await setup.connect(a.accept, b.accept);
    for (let index = 0; index < 3; index++) a.link.open(pattern(10_000, 1), true);
    await a.until("closed");
    expect(b.all("request")).toHaveLength(1);
    expect(a.all("cancelled")).toHaveLength(3);
  });

  it("rejects promises when the link breaks", async () => {
    const peer = new LinkPeer();
    const b = new Recorder();
    await using pair = await setup.connect(peer.accept, b.accept);
    const call = peer.call(bytes(1));
    const stream = peer.stream(bytes(2)).next();
    await b.until("request", 2);
    pair.accepting.abort(reason);
    await expect(call).rejects.toMatchObject({ code: ErrorCode.Unavailable });
    await expect(stream).rejects.toMatchObject({ code: ErrorCode.Unavailable });
    await expect(peer.call(bytes(3))).rejects.toMatchObject({ code: ErrorCode.Unavailable });
    expect(peer.openCalls).toBe(0);
  });

  it("notices a peer that vanishes, and cancels everything", async () => {
    const a = new Recorder();
    const b = new Recorder();
    await using pair = await setup.connect(a.accept, b.accept);
    if (pair.vanish === undefined) return;
    a.link.open(bytes(1), true);
    await b.until("request");
    b.link.open(bytes(2), true);
    await a.until("request");
    await pair.vanish();
    await b.until("closed");
    expect(b.all("cancelled").map((told) => told.error.code)).toEqual([ErrorCode.Unavailable, ErrorCode.Unavailable]);
    expect(b.all("closed")[0]!.error?.code).toBe(ErrorCode.Unavailable);
  });

  it("is not disturbed by bytes that are no message", async () => {
    const a = new Recorder();
    const b = new Recorder(echo);
    await using pair = await setup.connect(a.accept, b.accept);
    if (pair.garbage === undefined) return;
    await pair.garbage();
    const call = a.link.open(bytes(4), true);
    const answer = await a.until("message");
    expect([answer.call, ...answer.payload]).toEqual([call, 4]);
  });
}
