import { defineConfig } from "vitest/config";

// Tests start real programs, each with processes of its own: they get the time that a busy machine of two cores needs, and
// do not compete for it among themselves.
export default defineConfig({
  test: { testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 2 },
});
