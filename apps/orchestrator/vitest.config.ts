import { mergeConfig } from "vitest/config";
import shared from "../../vitest.config.ts";

// Tests start real programs, each with processes of its own, which must not compete among themselves.
export default mergeConfig(shared, { test: { maxWorkers: 2 } });
