import { ErrorCode, HealthResult_Status, HubError } from "@orchestrator/protocol";
import type { LinkListener } from "@orchestrator/transport";
import { dialQuic, listenQuic } from "@orchestrator/transport-quic";
import { type TestCerts, testCerts } from "./certs.ts";
import { ownLoopback } from "./loopback.ts";
import { type Program, type ProgramOptions, startFixture } from "./program.ts";
import { RawPeer, type RawPeerOptions } from "./raw-peer.ts";

/** The hub's side that plugins dial. */
export interface TestHubServer extends AsyncDisposable {
  readonly address: string;
  readonly peer: RawPeer;
  /** Gone without a word, as after SIGKILL of a hub: links break, the port is free. */
  stop(): Promise<void>;
}

/** Listens as a hub; it accepts every registration and says that it is well unless `answer` says otherwise. */
export async function startHub(
  certs: TestCerts,
  options: RawPeerOptions = {},
  address = ownLoopback(),
): Promise<TestHubServer> {
  const peer = new RawPeer({
    ...options,
    answer(request) {
      const own = options.answer?.(request);
      if (own !== undefined) return own;
      if (request.request?.$case === "register") {
        return { response: { $case: "register", value: { accepted: true, rejectReason: "" } } };
      }
      if (request.request?.$case === "health") {
        const value = { status: HealthResult_Status.STATUS_HEALTHY, message: "", details: {} };
        return { response: { $case: "health", value } };
      }
      return undefined;
    },
  });
  const tls = await certs.authority.leaf("orchestrator");
  const listener: LinkListener = await listenQuic(address, { tls }, peer.accept);
  return {
    address: listener.address,
    peer,
    stop: () => listener.close(0),
    [Symbol.asyncDispose]: () => listener.close(0),
  };
}

/** Longer than any plugin takes to answer, also one that has just been started beside many others. */
const HANDSHAKE_MS = 60_000;

/** Dials a plugin under a host's certificate. */
export async function dialPlugin(certs: TestCerts, address: string, name = "orchestrator-to-test"): Promise<RawPeer> {
  const peer = new RawPeer();
  const tls = await certs.authority.leaf(name);
  await dialQuic(address, { tls, handshakeTimeoutMs: HANDSHAKE_MS }, peer.accept);
  return peer;
}

export interface Setup extends AsyncDisposable {
  readonly certs: TestCerts;
  readonly hub: TestHubServer;
  readonly program: Program;
  /** The host's connection to the plugin. */
  readonly host: RawPeer;
}

/** A plugin program under a host in the way of a stand-alone orchestrator: flags with "=", a hub to call. */
export async function startUnderHub(
  words: readonly string[] = [],
  options: ProgramOptions & RawPeerOptions & { readonly fixture?: string } = {},
): Promise<Setup> {
  const certs = await testCerts();
  const hub = await startHub(certs, options);
  const flags = [`--orchestrator-addr=${hub.address}`, "--listen-addr=localhost:0", `--certs-dir=${certs.directory}`];
  const program = startFixture(options.fixture ?? "greeter.ts", [...words, ...flags], options);
  const host = await dialPlugin(certs, await program.ready());
  return {
    certs,
    hub,
    program,
    host,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      host.link.abort(new HubError(ErrorCode.Unavailable, "The test is over"));
      await hub.stop();
      await certs[Symbol.asyncDispose]();
    },
  };
}
