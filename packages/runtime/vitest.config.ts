import { mergeConfig } from "vitest/config";
import shared from "../../vitest.config.ts";

export default mergeConfig(shared, {
  test: {
    // Many tests start programs; several at once keep both cores busy while they wait.
    maxConcurrency: 3,
    globalSetup: ["test/support/compile-cache.ts"],
  },
});
