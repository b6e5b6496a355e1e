/**
 * What one revision of the Model Context Protocol has. Everything that depends on the version asks one of these, never the
 * version itself, so a new revision is one more row.
 */
export interface Revision {
  readonly version: string;
  /** Several messages may come in one array, and are answered in one array. */
  readonly batches: boolean;
  /** Tools have hints (readOnlyHint …), and their title is one of them. */
  readonly toolAnnotations: boolean;
  /** Progress has a line of text. */
  readonly progressMessages: boolean;
  /** The completions capability is announced; the method is older than its announcement. */
  readonly completionsCapability: boolean;
  /** Content may be audio. */
  readonly audio: boolean;
  /** Things have a title beside their name. */
  readonly titles: boolean;
  /** Tools may promise a schema for their results, and results have structuredContent. */
  readonly structuredContent: boolean;
  /** Content may be a link to a resource. */
  readonly resourceLinks: boolean;
  /** Resources say when they were last changed. */
  readonly lastModified: boolean;
  /** The server may say more of itself than name, title and version. */
  readonly serverDescription: boolean;
}

const R20241105: Revision = {
  version: "2024-11-05",
  batches: false,
  toolAnnotations: false,
  progressMessages: false,
  completionsCapability: false,
  audio: false,
  titles: false,
  structuredContent: false,
  resourceLinks: false,
  lastModified: false,
  serverDescription: false,
};

const R20250326: Revision = {
  ...R20241105,
  version: "2025-03-26",
  batches: true,
  toolAnnotations: true,
  progressMessages: true,
  completionsCapability: true,
  audio: true,
};

const R20250618: Revision = {
  ...R20250326,
  version: "2025-06-18",
  batches: false,
  titles: true,
  structuredContent: true,
  resourceLinks: true,
  lastModified: true,
};

const R20251125: Revision = { ...R20250618, version: "2025-11-25", serverDescription: true };

/** Oldest first. */
export const REVISIONS: readonly Revision[] = [R20241105, R20250326, R20250618, R20251125];

/** The versions that a client may ask for, oldest first. */
export const PROTOCOL_VERSIONS: readonly string[] = REVISIONS.map((revision) => revision.version);

/** The revision that was asked for, or else the newest: the client then decides whether it can live with that. */
export function negotiate(requested: string): Revision {
  return REVISIONS.find((revision) => revision.version === requested) ?? R20251125;
}
