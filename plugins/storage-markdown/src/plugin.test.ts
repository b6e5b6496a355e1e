import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ErrorCode } from "@orchestrator/protocol";
import { testPlugin } from "@orchestrator/runtime/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createStorageMarkdown } from "./plugin.ts";

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL("../bin/storage-markdown", import.meta.url));

let workspace: string;
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), "storage-markdown-"));
});
afterEach(() => rmSync(workspace, { recursive: true, force: true }));

describe("the plugin storage.markdown", () => {
  it("stores documents of type markdown in the workspace that the flag names", async () => {
    await using plugin = await testPlugin(createStorageMarkdown(), { flags: { workspace } });
    const storage = plugin.storage("markdown");
    const metadata = { id: "FEAT-ABC", labels: ["a"], estimate: 1.5, done: false };
    expect(await storage.write("app/FEAT-ABC.md", "# Login\n", { metadata, expectedVersion: 0 })).toBe(1);
    const read = await storage.read("app/FEAT-ABC.md");
    expect(read).toMatchObject({ metadata, version: 1 });
    expect(new TextDecoder().decode(read?.content)).toBe("# Login\n");
    expect(readFileSync(join(workspace, ".projects/app/FEAT-ABC.md"), "utf8")).toBe(
      "---\ndone: false\nestimate: 1.5\nid: FEAT-ABC\nlabels:\n    - a\n---\n\n# Login\n",
    );
    expect(await storage.list("app")).toMatchObject([{ path: "app/FEAT-ABC.md", version: 1 }]);
    expect(await storage.delete("app/FEAT-ABC.md")).toBe(true);
    expect(await storage.delete("app/FEAT-ABC.md")).toBe(false);
    expect(await storage.read("app/FEAT-ABC.md")).toBeUndefined();
    expect(await storage.list()).toEqual([]);
  });

  it("tells callers why a write was refused, and that a file cannot be read", async () => {
    await using plugin = await testPlugin(createStorageMarkdown(), { flags: { workspace } });
    const storage = plugin.storage();
    await storage.write("a.md", "x", { expectedVersion: 0 });
    await expect(storage.write("a.md", "y", { expectedVersion: 0 })).rejects.toMatchObject({
      code: ErrorCode.AlreadyExists,
      message: "file already exists (expected_version=0 means create new)",
    });
    await expect(storage.write("a.md", "y", { expectedVersion: 7 })).rejects.toMatchObject({
      code: ErrorCode.FailedPrecondition,
      message: "version conflict: expected 7, current 1",
    });
    await expect(storage.write("../a.md", "y")).rejects.toMatchObject({
      code: ErrorCode.InvalidArgument,
      message: expect.stringMatching(/^resolve path: /),
    });
    await storage.write("b.md", "---\ndate: 2020-01-01\n---\n");
    expect(await storage.read("b.md")).toMatchObject({ metadata: { date: "2020-01-01" } });
  });

  it("can be embedded, and says how it is", async () => {
    await using plugin = await testPlugin({ ...createStorageMarkdown(workspace), setup: () => {} });
    await plugin.storage().write("a.md", "x");
    expect(await plugin.health()).toMatchObject({ status: "healthy", details: { root: join(workspace, ".projects") } });
    expect(await plugin.shutdown()).toBe(true);
  });
});

describe.skipIf(process.platform === "win32")("the program bin/storage-markdown", { timeout: 60_000 }, () => {
  it("prints its manifest", async () => {
    const { stdout } = await run(PROGRAM, ["--manifest"], {
      env: { ...process.env, ORCHESTRATOR_NODE: process.execPath },
    });
    expect(JSON.parse(stdout)).toMatchObject({
      id: "storage.markdown",
      version: "0.1.0",
      provides_storage: ["markdown"],
      provides_tools: [],
    });
  });

  it("knows the flag workspace, and no others", async () => {
    const env = { ...process.env, ORCHESTRATOR_NODE: process.execPath };
    const { stdout } = await run(PROGRAM, ["-workspace", workspace, "--help"], { env });
    expect(stdout).toContain("--workspace");
    await expect(run(PROGRAM, ["--nope"], { env })).rejects.toMatchObject({ code: 2 });
  });
});
