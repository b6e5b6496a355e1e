import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import type { Quiche } from "@matrixai/quic/native/quiche.js";
import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { EngineConfig, EngineFactory, QuicEngine } from "./engine.ts";
import { QuicheConnection } from "./quiche-connection.ts";

/** BoringSSL's own list lacks Ed25519, which is what our certificates use. */
const SIGNATURE_ALGORITHMS = [
  "ed25519",
  "ecdsa_secp256r1_sha256",
  "ecdsa_secp384r1_sha384",
  "ecdsa_secp521r1_sha512",
  "rsa_pss_rsae_sha256",
  "rsa_pss_rsae_sha384",
  "rsa_pss_rsae_sha512",
].join(":");

/**
 * The connection's receive window is made boundless on purpose. quiche widens it only as data is read, so that a few stalled
 * calls, whose data is left unread, would stop every other call once their bytes fill it. What bounds memory is the number
 * of streams times the stream's window.
 */
const CONNECTION_WINDOW_BYTES = 2 ** 52;

/**
 * Loads the native binding. It is reached past the package's `exports`, which lists it for `import` alone: importing could not
 * be done synchronously, nor can a failed import be a value.
 * @throws whatever the loader throws where there is no binding for this platform
 */
export function loadQuiche(): QuicEngine {
  const here = createRequire(import.meta.url);
  const inside = createRequire(here.resolve("@matrixai/quic/package.json"));
  const quiche = (inside("./dist/native/quiche.js") as { default: Quiche }).default;
  return { configure: (config) => configure(quiche, config) };
}

function configure(quiche: Quiche, config: EngineConfig): EngineFactory {
  const anonymous = config.role === "client" && config.tls.certPem === "" && config.tls.keyPem === "";
  let native: ReturnType<Quiche["Config"]["withBoringSslCtx"]>;
  try {
    native = quiche.Config.withBoringSslCtx(
      true,
      false,
      Buffer.from(config.tls.caPem),
      anonymous ? undefined : [Buffer.from(config.tls.keyPem)],
      anonymous ? undefined : [Buffer.from(config.tls.certPem)],
      SIGNATURE_ALGORITHMS,
    );
  } catch (cause) {
    throw new HubError(ErrorCode.InvalidArgument, `Cannot use the TLS material: ${(cause as Error).message}`, {
      cause,
    });
  }
  // "Verify if given"; without it the context requires a certificate.
  if (config.anonymousClients) native.verifyPeer(true);
  native.setApplicationProtos([config.alpn]);
  native.setMaxIdleTimeout(config.idleTimeoutMs);
  native.setMaxRecvUdpPayloadSize(config.maxDatagramBytes);
  native.setMaxSendUdpPayloadSize(config.maxDatagramBytes);
  native.setInitialMaxData(CONNECTION_WINDOW_BYTES);
  native.setInitialMaxStreamDataBidiLocal(config.streamWindowBytes);
  native.setInitialMaxStreamDataBidiRemote(config.streamWindowBytes);
  native.setMaxStreamWindow(config.streamWindowBytes);
  native.setInitialMaxStreamsBidi(config.maxStreams);
  native.setInitialMaxStreamsUni(0);
  native.setDisableActiveMigration(true);
  // Pacing stays on although the driver sends at once, which costs nothing measurable: quiche dates packets by its pacer, and
  // with pacing off that moves only once per window's time. After losses, when windows are small and round trips long, the dates
  // fall behind, which makes round trips seem longer still. With pacing on they are off too, but seldom (connection/impatience.ts).
  return {
    connect: (serverName, id, local, remote) =>
      new QuicheConnection(
        quiche.Connection.connect(serverName, id, { ...local }, { ...remote }, native),
        local,
        remote,
      ),
    accept: (id, local, remote) =>
      new QuicheConnection(quiche.Connection.accept(id, undefined, { ...local }, { ...remote }, native), local, remote),
  };
}
