import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("../bin/tools-features", import.meta.url));

describe("the program", () => {
  it("prints its manifest", async () => {
    const env = { ...process.env, ORCHESTRATOR_NODE: process.execPath };
    const { stdout } = await promisify(execFile)(program, ["--manifest"], { env });
    const manifest = JSON.parse(stdout);
    expect(manifest).toMatchObject({
      id: "tools.features",
      version: "0.1.0",
      provides_storage: [],
      needs_storage: ["markdown"],
    });
    expect(manifest.provides_tools).toHaveLength(36);
  });
});
