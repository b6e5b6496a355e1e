import { ToolError } from "@orchestrator/runtime";
import { decodeFeature, encodeFeature, type Feature } from "../records/feature.ts";
import { idCandidates } from "../records/ids.ts";
import { idOfPath, paths } from "../records/paths.ts";
import type { RecordAccess } from "./access.ts";
import { CONFLICT } from "./conflicts.ts";
import { orStorageError, type StoredDocumentText, type UnreadableRecord } from "./documents.ts";

/** A feature with the text below its front matter, at the version that was read. */
export interface FeatureRecord {
  readonly feature: Feature;
  readonly body: string;
  readonly version: number;
}

/** What a change makes of a record; parts that are left out stay. */
export interface FeatureChange {
  readonly fields?: Partial<Feature>;
  /** Added below the text. */
  readonly append?: string;
}

export interface FeatureList {
  readonly records: readonly FeatureRecord[];
  readonly unreadable: readonly UnreadableRecord[];
}

export class FeatureStore {
  readonly #access: RecordAccess;

  constructor(access: RecordAccess) {
    this.#access = access;
  }

  async find(slug: string, id: string): Promise<FeatureRecord | undefined> {
    const document = await orStorageError(this.#access.documents.read(paths.feature(slug, id)));
    return document && decoded(document, slug, id);
  }

  /** @throws {ToolError} `not_found` */
  async get(slug: string, id: string): Promise<FeatureRecord> {
    const record = await this.find(slug, id);
    if (record !== undefined) return record;
    throw new ToolError("not_found", `Feature "${id}" does not exist in project "${slug}"`);
  }

  async list(slug: string): Promise<FeatureList> {
    const { documents } = this.#access;
    const entries = await documents.list(paths.features(slug), "*.md");
    const own = entries.map((entry) => entry.path).filter((path) => path === paths.feature(slug, idOfPath(path)));
    const { found, unreadable } = await documents.readAll(own);
    return { records: found.map((document) => decoded(document, slug, idOfPath(document.path))), unreadable };
  }

  /** Creates a feature under the first free id. */
  async create(feature: Omit<Feature, "id">, body: string): Promise<Feature> {
    const { documents } = this.#access;
    for (const id of idCandidates("FEAT", (limit) => this.#access.random(limit))) {
      const candidate = { ...feature, id };
      const document = { metadata: encodeFeature(candidate), body };
      if (await documents.create(paths.feature(feature.projectId, id), document)) return candidate;
    }
    throw new ToolError("storage_error", `Cannot find a free id for a feature in project "${feature.projectId}"`);
  }

  /**
   * Reads, changes and writes back; again from the start if somebody else wrote in between, so `change` may run more
   * than once and decides on what is really there. What it throws ends the update, `undefined` leaves all as it is.
   */
  update(
    slug: string,
    id: string,
    change: (record: FeatureRecord) => FeatureChange | undefined | Promise<FeatureChange | undefined>,
  ): Promise<FeatureRecord> {
    return this.#access.inTurn(paths.feature(slug, id), () =>
      this.#access.untilWritten(`feature "${id}"`, async () => {
        const record = await this.get(slug, id);
        const changed = await change(record);
        return changed === undefined ? record : this.write(record, changed);
      }),
    );
  }

  /** Like `update`, and content to find nothing. */
  async updateIfPresent(
    slug: string,
    id: string,
    change: (record: FeatureRecord) => FeatureChange | undefined,
  ): Promise<void> {
    await this.update(slug, id, change).catch((error: unknown) => {
      if (!(error instanceof ToolError) || error.code !== "not_found") throw error;
    });
  }

  /** One attempt, against the version of `record`. */
  async write(record: FeatureRecord, change: FeatureChange): Promise<FeatureRecord | typeof CONFLICT> {
    const feature = { ...record.feature, ...change.fields, updatedAt: this.#access.timestamp() };
    const body = record.body + (change.append ?? "");
    const path = paths.feature(feature.projectId, feature.id);
    const document = { metadata: encodeFeature(feature), body };
    const written = await this.#access.documents.replace(path, document, record.version);
    return written ? { feature, body, version: record.version + 1 } : CONFLICT;
  }

  /** @returns false where it was gone already */
  remove(slug: string, id: string): Promise<boolean> {
    return this.#access.documents.remove(paths.feature(slug, id));
  }
}

function decoded(document: StoredDocumentText, slug: string, id: string): FeatureRecord {
  return { feature: decodeFeature(document.metadata, slug, id), body: document.body, version: document.version };
}
