import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Check } from "./repo.ts";

/** Runs a generator of this repository with `--check`. */
function checkWith(script: string): Check {
  return ({ root }) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, script), "--check"], {
      cwd: root,
      encoding: "utf8",
    });
    return status === 0 ? [] : `${stdout}${stderr}`.trim().split("\n");
  };
}

/** The committed code is what the schema generates. */
export const checkGeneratedCode = checkWith("tools/generate.ts");

/** The JSON Schema and the reference of the configuration are what its definition generates. */
export const checkGeneratedConfig = checkWith("tools/generate-config.ts");
