/** What a client may ask for. Every one of them is answered with an error that names it. */
export interface Limits {
  /** Longest message that comes as text, in UTF-16 units. */
  readonly maxMessageLength: number;
  /** Deepest nesting of arrays and objects in one message. */
  readonly maxDepth: number;
  /** Most requests under way at once. */
  readonly maxInFlight: number;
  /** Most messages in one batch. */
  readonly maxBatch: number;
  /** Most entries in one list answer. */
  readonly pageSize: number;
}

export const DEFAULT_LIMITS: Limits = {
  maxMessageLength: 10 * 1024 * 1024,
  maxDepth: 64,
  maxInFlight: 4096,
  maxBatch: 1000,
  // Many clients read the first page only, so nearly everything must be on it.
  pageSize: 1000,
};
