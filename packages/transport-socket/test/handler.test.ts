import { Duplex } from "node:stream";
import { ErrorCode, type HubError } from "@orchestrator/protocol";
import type { AcceptLink, CallId } from "@orchestrator/transport";
import { describe, expect, it } from "vitest";
import { SocketLink } from "../src/index.ts";
import { frame, hello } from "./support/raw-peer.ts";

const options = { carrier: "fd", peer: "p", remoteAddress: "", isConnector: false } as const;
const quiet = { request() {}, message() {}, cancelled() {}, drained() {}, closed() {} };

/** A link on a stream that swallows everything; the test plays the peer by emitting data, and sees what comes out of it. */
function link(accept: AcceptLink) {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  return { socket, link: new SocketLink(socket, options, accept) };
}

describe("a handler that throws", () => {
  it("ends its link with INTERNAL, not as a fault of the peer, and its mistake is seen", async () => {
    const mistake = new TypeError("a mistake in the handler");
    let reason: HubError | undefined;
    const { socket, link: broken } = link(() => ({
      ...quiet,
      request() {
        throw mistake;
      },
      closed(error) {
        reason = error;
      },
    }));
    expect(() => socket.emit("data", Buffer.concat([hello, frame(2, 1, "x")]))).toThrow(mistake);
    expect(reason).toMatchObject({ code: ErrorCode.Internal, cause: mistake });
    expect(socket.destroyed).toBe(true);
    await broken.closed;
  });

  it("is not taken for a peer that breaks the rules, even if it throws an error of that code", () => {
    const looksAlike = Object.assign(new Error(), { code: ErrorCode.Protocol });
    const { socket } = link(() => ({
      ...quiet,
      request() {
        throw looksAlike;
      },
    }));
    expect(() => socket.emit("data", Buffer.concat([hello, frame(2, 1)]))).toThrow(looksAlike);
  });

  it("hears of the end of every call all the same, and the stream is let go", () => {
    const heard: CallId[] = [];
    const { socket, link: broken } = link(() => ({
      ...quiet,
      cancelled(call) {
        heard.push(call);
        throw new Error(`mistake ${call}`);
      },
    }));
    socket.emit("data", Buffer.concat([hello, frame(2, 1), frame(2, 3), frame(2, 5)]));
    expect(() => socket.emit("data", frame(2, 5))).not.toThrow(/broke the frame/);
    expect(heard).toEqual([1, 3, 5]);
    expect([socket.destroyed, broken.isOpen]).toEqual([true, false]);
  });
});

describe("the sending side", () => {
  it("says nothing more after its last message, and credits no more than it received", () => {
    const { socket, link: tidy } = link(() => quiet);
    socket.emit("data", Buffer.concat([hello, frame(1, 1, "abc")]));
    const id = tidy.open(new Uint8Array(1), true);
    const written: Buffer[] = [];
    socket.write = ((bytes: Buffer) => written.push(Buffer.from(bytes)) > 0) as never;
    expect(tidy.send(id, new Uint8Array(1), false)).toBe(true);
    tidy.credit(1, 1_000);
    tidy.credit(1, 1_000);
    tidy.credit(99, 5);
    return Promise.resolve().then(() => {
      const bytes = Buffer.concat(written).toString("hex");
      expect(bytes.match(/0000000900000001070000....$/)?.[0].slice(-4)).toBe("0003");
      expect(bytes.match(/07000003e8/)).toBeNull();
    });
  });
});
