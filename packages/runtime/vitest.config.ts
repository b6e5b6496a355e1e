import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Many tests start programs; several at once keep both cores busy while they wait.
    maxConcurrency: 3,
    testTimeout: 30_000,
    globalSetup: ["test/support/compile-cache.ts"],
  },
});
