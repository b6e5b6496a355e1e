/** The group `store`. */
export const storeFields = {
  file: { kind: "path", description: "The file, on a local disk.", defaultText: "<state_dir>/orchestra.db" },
  kv_max_bytes: {
    kind: "count",
    minimum: 1,
    maximum: 1_099_511_627_776,
    description: "Bytes of keys and values that one plugin may keep.",
    defaultText: "67108864",
  },
  kv_max_entries: {
    kind: "count",
    minimum: 1,
    maximum: 1_000_000_000,
    description: "Entries that one plugin may keep.",
    defaultText: "100000",
  },
  events_max_age_ms: {
    kind: "count",
    minimum: 1_000,
    maximum: 315_360_000_000,
    description: "How long it is remembered what happened to plugins.",
    defaultText: "604800000",
  },
  events_max: {
    kind: "count",
    minimum: 1,
    maximum: 100_000_000,
    description: "Events that are remembered, the latest ones.",
    defaultText: "100000",
  },
} as const;
