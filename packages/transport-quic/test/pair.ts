import type { AcceptLink, Link } from "@orchestrator/transport";
import { dialQuic } from "../src/endpoint/dial.ts";
import { listenQuic } from "../src/endpoint/listen.ts";
import type { QuicDialOptions, QuicListenOptions } from "../src/options.ts";
import { type TestMaterial, testMaterial } from "./material.ts";

export interface QuicPair extends AsyncDisposable {
  readonly address: string;
  readonly connecting: Link;
  readonly accepting: Link;
}

/** A listener with one link to it, over loopback. */
export async function quicPair(
  connecting: AcceptLink,
  accepting: AcceptLink,
  options: {
    readonly material?: TestMaterial;
    readonly dial?: Partial<QuicDialOptions>;
    readonly listen?: Partial<QuicListenOptions>;
    /** Where to dial instead of the listener's own address. */
    readonly via?: (address: string) => Promise<string>;
  } = {},
): Promise<QuicPair> {
  const material = options.material ?? (await testMaterial());
  const arrived = Promise.withResolvers<Link>();
  const listener = await listenQuic(
    "localhost:0",
    { tls: material.server, handshakeTimeoutMs: 60_000, ...options.listen },
    (link) => {
      arrived.resolve(link);
      return accepting(link);
    },
  );
  const address = (await options.via?.(listener.address)) ?? listener.address;
  // A machine that is busy elsewhere has the time that it needs.
  const dial = { tls: material.client, handshakeTimeoutMs: 60_000, ...options.dial };
  const link = await dialQuic(address, dial, connecting);
  return {
    address: listener.address,
    connecting: link,
    accepting: await arrived.promise,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([link.close(0), listener.close(0)]);
    },
  };
}
