import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { encodeFrame } from "@orchestrator/protocol";
import { afterEach, expect, it } from "vitest";
import { listenTcp, type TcpListener } from "./tcp-listener.ts";

const listeners: TcpListener[] = [];
afterEach(async () => {
  await Promise.all(listeners.splice(0).map((listener) => listener.close()));
});

async function listen(
  answer: () => Promise<Uint8Array>,
): Promise<{ connect: () => Promise<Socket>; refused: string[] }> {
  const refused: string[] = [];
  const listener = await listenTcp({
    address: "127.0.0.1:0",
    auth: { token: "t" },
    answer,
    onRefused: (why) => refused.push(why),
    requestTimeoutMs: 100,
  });
  listeners.push(listener);
  const port = Number(listener.address.split(":").at(-1));
  return {
    refused,
    connect: async () => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "connect");
      return socket;
    },
  };
}

it("cuts off a client that trickles its request: the time counts from the first byte to the last", async () => {
  const { connect, refused } = await listen(async () => new Uint8Array());
  const socket = await connect();
  socket.write(encodeFrame(Buffer.from("t")));
  socket.write(Buffer.from("000fffff", "hex"));
  const trickle = setInterval(() => socket.write("x"), 20);
  // The end may reach it as a reset, which `once` would throw.
  await new Promise((closed) => socket.resume().once("close", closed));
  clearInterval(trickle);
  expect(refused).toEqual(["no request within 100 ms"]);
});

it("cuts off a client that does not read its answer", async () => {
  const { connect, refused } = await listen(async () => new Uint8Array(16 * 1024 * 1024));
  do {
    const heard = refused.length;
    const socket = await connect();
    socket.pause();
    socket.write(Buffer.concat([encodeFrame(Buffer.from("t")), encodeFrame(Buffer.from("request"))]));
    await expect.poll(() => refused.length).toBeGreaterThan(heard);
    socket.destroy();
    // Where the machine stood still, the request came too late.
  } while (refused.at(-1) === "no request within 100 ms");
  expect(refused.at(-1)).toBe("the answer was not read for 100 ms");
});
