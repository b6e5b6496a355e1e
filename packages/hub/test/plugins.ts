import { join } from "node:path";
import type { TestPlugin } from "../src/testing/index.ts";

const program = join(import.meta.dirname, "fixtures", "plugin.ts");

/** A fixture plugin; `env` names its behaviour. */
export function fixture(id: string, env: Record<string, string> = {}, more: Record<string, unknown> = {}): TestPlugin {
  return { id, binary: program, env: { FIXTURE_ID: id, ...env }, ...more };
}

/** One that the hub speaks to on a file descriptor. */
export function onFd(id: string, env: Record<string, string> = {}, more: Record<string, unknown> = {}): TestPlugin {
  return fixture(id, { LINK: "fd", ...env }, more);
}
