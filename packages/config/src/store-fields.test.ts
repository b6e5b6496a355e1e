import { describe, expect, it } from "vitest";
import { parseConfig, requireConfig } from "./parse.ts";

const base = { path: "/etc/orchestra/plugins.yaml", env: {}, home: "/home/ada" };
const store = (yaml: string, env: Record<string, string> = {}) =>
  requireConfig(parseConfig(yaml, { ...base, env })).store;

describe("store", () => {
  it("lies in the state directory unless a file is named, which starts at the configuration's directory", () => {
    expect(store("state_dir: /var/lib/orchestra").file).toBe("/var/lib/orchestra/orchestra.db");
    expect(store("store: {file: data/hub.db}").file).toBe("/etc/orchestra/data/hub.db");
  });

  it("has limits that file and environment set", () => {
    const yaml = "store: {kv_max_bytes: 1000, kv_max_entries: 10, events_max_age_ms: 60000, events_max: 5}";
    expect(store(yaml)).toMatchObject({ kvMaxBytes: 1_000, kvMaxEntries: 10, eventsMaxAgeMs: 60_000, eventsMax: 5 });
    expect(store(yaml, { ORCHESTRATOR_STORE_KV_MAX_BYTES: "2000" }).kvMaxBytes).toBe(2_000);
    expect(parseConfig("store: {kv_max_entries: 0}", base).diagnostics[0]?.message).toContain("store.kv_max_entries");
  });
});
