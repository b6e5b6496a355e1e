import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildGoPeers } from "../../../tools/interop/build.ts";

const root = join(import.meta.dirname, "..", "..", "..");

/**
 * Builds the relay upon the interop peer's own wire package.
 * @returns the program, or undefined where Go or its modules are absent
 */
export async function buildGo(): Promise<string | undefined> {
  if ((await buildGoPeers()) !== undefined) return undefined;
  const out = join(root, ".tools", "bench", "relay");
  mkdirSync(join(root, ".tools", "bench"), { recursive: true });
  const source = join(import.meta.dirname, "..", "..", "go", "main.go");
  // Within the peer's module, whose versions and checksums are the ones that are tested.
  const cwd = join(root, "tools", "interop", "go", "plain");
  const built = await promisify(execFile)("go", ["build", "-trimpath", "-o", out, source], { cwd }).catch(
    () => undefined,
  );
  return built === undefined ? undefined : out;
}
