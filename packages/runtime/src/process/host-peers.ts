import { ErrorCode, HubError } from "@orchestrator/protocol";

/**
 * Certificates that only hosts and operators have: the authority gives no plugin a name that begins like these. Any other
 * plugin holds a good certificate too; were it served here, it would get around the hub and its rules.
 */
const HOSTS = /^(orchestrator|orchestra-host)(-.+)?$/;

/** What decides who may ask a plugin directly. */
export interface HostPeers {
  /** Peers without a certificate are served. */
  readonly allowAnonymous: boolean;
  /** @returns the answer that a peer gets to every request, or undefined for a peer that is served */
  refusal(peer: string): HubError | undefined;
}

/**
 * Reads `ORCHESTRATOR_ALLOW_ANONYMOUS` ("1": peers without a certificate are served) and `ORCHESTRATOR_ALLOW_PEERS` (more
 * certificate names, separated by commas, or "*" for every certificate of the authority).
 */
export function hostPeers(env: Readonly<Record<string, string | undefined>>): HostPeers {
  const allowAnonymous = env["ORCHESTRATOR_ALLOW_ANONYMOUS"] === "1";
  const names = new Set((env["ORCHESTRATOR_ALLOW_PEERS"] ?? "").split(",").map((name) => name.trim()));
  return {
    allowAnonymous,
    refusal(peer) {
      if (peer === "" ? allowAnonymous : HOSTS.test(peer) || names.has(peer) || names.has("*")) return undefined;
      return new HubError(
        ErrorCode.PermissionDenied,
        `Certificate "${peer}" is not that of a host, and this plugin serves hosts only. To serve it all the same, set ` +
          `ORCHESTRATOR_ALLOW_PEERS=${peer} for the plugin`,
      );
    },
  };
}
