import { ToolError } from "@orchestrator/runtime";
import { paths } from "../records/paths.ts";
import type { RecordAccess } from "./access.ts";
import { orStorageError } from "./documents.ts";

export class WipLimitStore {
  readonly #access: RecordAccess;

  constructor(access: RecordAccess) {
    this.#access = access;
  }

  /**
   * @returns undefined where no limit was set
   * @throws {ToolError} `storage_error` where the record holds something that is no limit: guessing "unlimited" would
   *   switch a rule off without a word
   */
  async get(slug: string): Promise<number | undefined> {
    const document = await orStorageError(this.#access.documents.peek(paths.wipLimit(slug)));
    if (document === undefined) return undefined;
    const limit = Number(document.metadata["max_in_progress"]);
    if (Number.isSafeInteger(limit) && limit > 0) return limit;
    throw new ToolError(
      "storage_error",
      `Cannot read ${paths.wipLimit(slug)}: max_in_progress is not a positive integer; set_wip_limits repairs it`,
    );
  }

  set(slug: string, limit: number): Promise<void> {
    return this.#access.documents.put(paths.wipLimit(slug), { metadata: { max_in_progress: limit }, body: "" });
  }
}
