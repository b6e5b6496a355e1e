import { availableParallelism } from "node:os";
import { mergeConfig } from "vitest/config";
import shared from "../../vitest.config.ts";

// These tests wait for processes more than they compute, so that two files at a time are not too many for any machine.
export default mergeConfig(shared, {
  test: { maxWorkers: Math.max(2, availableParallelism() - 1), expect: { poll: { interval: 10 } } },
});
