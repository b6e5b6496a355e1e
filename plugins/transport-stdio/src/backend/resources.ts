import type { BackendCall, McpResource, McpResourceContents, TemplateCompletion } from "@orchestrator/mcp";
import { ErrorCode, HubError, type StorageEntry } from "@orchestrator/protocol";
import { askFor } from "../hub/ask.ts";
import { toContents } from "./document.ts";
import type { Hub } from "./hub.ts";
import { templateValues } from "./templates.ts";
import { stem, toPath, toUri } from "./uris.ts";

/** The documents of the hub's default storage, as resources. */
export class Resources {
  readonly #hub: Hub;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  async list(call: BackendCall): Promise<readonly McpResource[]> {
    return (await this.#entries("*.md", call)).map(toResource);
  }

  async read(uri: string, call: BackendCall): Promise<readonly McpResourceContents[] | undefined> {
    const value = { path: toPath(uri), storageType: "" };
    try {
      const request = { $case: "storageRead", value } as const;
      const document = await askFor(
        this.#hub.peer,
        this.#hub.question(`rr-${call.requestId}`, request, call),
        "storageRead",
      );
      // Nothing in any field is how "not there" travels between peers that know no error for it.
      const missing = document.content.length === 0 && document.metadata === undefined && document.version === 0;
      return missing ? undefined : [toContents(uri, document)];
    } catch (reason) {
      if (reason instanceof HubError && reason.code === ErrorCode.NotFound) return undefined;
      throw reason;
    }
  }

  async complete(completion: TemplateCompletion, call: BackendCall): Promise<readonly string[]> {
    const [documents, projects] = await Promise.all([this.#entries("*.md", call), this.#entries("project.json", call)]);
    const path = (entry: StorageEntry) => entry.path;
    return templateValues(completion, documents.map(path), projects.map(path));
  }

  async #entries(pattern: string, call: BackendCall): Promise<readonly StorageEntry[]> {
    const request = { $case: "storageList", value: { prefix: "", pattern, storageType: "" } } as const;
    const question = this.#hub.question(`rl-${call.requestId}`, request, call);
    return (await askFor(this.#hub.peer, question, "storageList")).entries;
  }
}

function toResource({ path, size, modifiedAt }: StorageEntry): McpResource {
  const parts = stem(path).split("/");
  return {
    uri: toUri(path),
    name: parts.at(-1) ?? path,
    title: parts.join(" / "),
    mimeType: "text/markdown",
    size,
    modifiedAtMs: modifiedAt === undefined ? undefined : modifiedAt.seconds * 1000 + Math.floor(modifiedAt.nanos / 1e6),
  };
}
