import type { StoreConfig } from "@orchestrator/config";
import type { StoreOptions } from "@orchestrator/store";

/** What the config says of the database, as the store takes it. */
export function storeOptions(config: StoreConfig): StoreOptions {
  return {
    file: config.file,
    quota: { maxBytes: config.kvMaxBytes, maxEntries: config.kvMaxEntries },
    retention: { maxAgeMs: config.eventsMaxAgeMs, maxEvents: config.eventsMax },
  };
}
