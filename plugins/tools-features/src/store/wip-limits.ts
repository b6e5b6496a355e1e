import { ToolError } from "@orchestrator/runtime";
import { paths } from "../records/paths.ts";
import { orStorageError, type Workspace } from "./workspace.ts";

export class WipLimitStore {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /**
   * @returns undefined where no limit was set
   * @throws {ToolError} `storage_error` where the record holds something that is no limit: guessing "unlimited" would
   *   switch a rule off without a word
   */
  async get(slug: string): Promise<number | undefined> {
    const document = await orStorageError(this.#workspace.documents.peek(paths.wipLimit(slug)));
    if (document === undefined) return undefined;
    const limit = Number(document.metadata["max_in_progress"]);
    if (Number.isSafeInteger(limit) && limit > 0) return limit;
    throw new ToolError(
      "storage_error",
      `Cannot read ${paths.wipLimit(slug)}: max_in_progress is not a positive integer; set_wip_limits repairs it`,
    );
  }

  set(slug: string, limit: number): Promise<void> {
    return this.#workspace.documents.put(paths.wipLimit(slug), { metadata: { max_in_progress: limit }, body: "" });
  }
}
