import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { testCarrier } from "@orchestrator/transport/conformance";
import { testMaterial } from "./material.ts";
import { quicPair } from "./pair.ts";

const material = await testMaterial();
/** Small, so that a stream that is never given back shows soon. */
const maxConcurrentCalls = 50;

testCarrier("quic", {
  names: { connecting: "plugin-client", accepting: "orchestrator" },
  connect: async (connecting, accepting) => {
    const pair = await quicPair(connecting, accepting, {
      material,
      dial: { maxConcurrentCalls },
      listen: { maxConcurrentCalls },
    });
    return {
      ...pair,
      garbage: () => flood(pair.address, 500),
      [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
    };
  },
});

async function flood(address: string, count: number): Promise<void> {
  const socket = createSocket("udp4");
  const port = Number(address.split(":").at(-1));
  for (let index = 0; index < count; index++) {
    const datagram = randomBytes(1 + ((index * 37) % 1400));
    await new Promise((resolve) => socket.send(datagram, port, "127.0.0.1", resolve));
  }
  socket.close();
}
