import { mergeConfig } from "vitest/config";
import shared from "../../vitest.config.ts";

export default mergeConfig(shared, {
  // The soak compares heap sizes, which means nothing without a collection before each look.
  test: { execArgv: ["--expose-gc"], exclude: ["**/node_modules/**", "**/*.deno.test.ts"] },
});
