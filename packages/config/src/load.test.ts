import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "./index.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "orchestrator-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const named = (name: string, id: string) => writeFileSync(join(cwd, name), `plugins: [{id: ${id}, binary: a}]`);
const ids = async (options: Parameters<typeof loadConfig>[0]) =>
  (await loadConfig({ cwd, ...options })).config?.plugins.map((plugin) => plugin.id);

describe("loadConfig", () => {
  it("without a file there are defaults and no plugins", async () => {
    const { config, diagnostics } = await loadConfig({ cwd });
    expect(config).toMatchObject({ file: undefined, directory: cwd, workspace: cwd, plugins: [] });
    expect(diagnostics).toEqual([]);
  });

  it("takes the flag before the variable before plugins.yaml", async () => {
    named("plugins.yaml", "default");
    named("env.yaml", "env");
    named("flag.yaml", "flag");
    const env = { ORCHESTRATOR_CONFIG: "env.yaml" };
    expect(await ids({})).toEqual(["default"]);
    expect(await ids({ env })).toEqual(["env"]);
    expect(await ids({ env, flags: { config: "flag.yaml" } })).toEqual(["flag"]);
    expect((await loadConfig({ cwd })).config?.file).toBe(join(cwd, "plugins.yaml"));
  });

  it("a file that was asked for must be there, and be a file", async () => {
    const missing = await loadConfig({ cwd, flags: { config: "none.yaml" } });
    expect(missing.config).toBeUndefined();
    expect(missing.diagnostics).toMatchObject([
      { severity: "error", file: "none.yaml", message: "Cannot read the configuration: There is no such file" },
    ]);
    expect((await loadConfig({ cwd, env: { ORCHESTRATOR_CONFIG: "." } })).config).toBeUndefined();
  });
});
