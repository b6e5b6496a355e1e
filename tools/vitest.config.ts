import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // These tests start programs, some of them several; a busy machine with two cores takes its time.
    testTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
  },
});
