import { defineConfig } from "vitest/config";

export default defineConfig({
  // The soak compares heap sizes, which means nothing without a collection before each look.
  test: { execArgv: ["--expose-gc"], exclude: ["**/node_modules/**", "**/*.deno.test.ts"] },
});
