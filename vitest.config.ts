import { defineConfig } from "vitest/config";

// What every package's tests have in common. Most wait for processes to come to some state, on machines whose two cores have others
// to serve, too: a wait ends when the state is reached, so a long patience costs nothing, and a short one fails for nothing.
export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 25_000 } },
    passWithNoTests: true,
  },
});
