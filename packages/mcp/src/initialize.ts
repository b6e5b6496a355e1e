import { isObject } from "./json.ts";
import type { Params } from "./jsonrpc.ts";
import { negotiate, type Revision } from "./revision.ts";
import { invalidParams } from "./rpc-error.ts";

/** What a server says of itself. */
export interface ServerInfo {
  readonly name: string;
  readonly version: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly websiteUrl?: string | undefined;
  /** For the model: what this server is for and how to begin. */
  readonly instructions?: string | undefined;
}

/** @throws {RpcError} invalid parameters, where the version is missing or a member has the wrong type */
export function requestedRevision(params: Params): Revision {
  const { protocolVersion, capabilities, clientInfo } = params;
  if (typeof protocolVersion !== "string") throw invalidParams('initialize needs a "protocolVersion"');
  for (const [name, value] of Object.entries({ capabilities, clientInfo })) {
    // Small clients leave these out, and nothing here depends on them.
    if (value !== undefined && value !== null && !isObject(value)) throw invalidParams(`"${name}" must be an object`);
  }
  return negotiate(protocolVersion);
}

/** A one-line name of the client, for the log. */
export function clientName(params: Params): string {
  const info = params["clientInfo"];
  if (!isObject(info)) return "a client without a name";
  return `${String(info["name"] ?? "a client without a name")} ${String(info["version"] ?? "")}`.trim().slice(0, 200);
}

/** The answer to initialize. `_sessionId` is an extra member that existing clients of this server read. */
export function initializeResult(info: ServerInfo, revision: Revision, sessionId: string): object {
  const { name, version, title, description, websiteUrl, instructions } = info;
  const more = revision.serverDescription ? { description, websiteUrl } : {};
  return {
    protocolVersion: revision.version,
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true },
      logging: {},
      ...(revision.completionsCapability ? { completions: {} } : {}),
    },
    serverInfo: { name, title: revision.titles ? title : undefined, version, ...more },
    instructions,
    _sessionId: sessionId,
  };
}
