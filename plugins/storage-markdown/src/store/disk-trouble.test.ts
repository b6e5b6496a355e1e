import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it, type TestContext } from "vitest";
import { Workspace } from "../../test/workspace.ts";

/** A workspace on a file system of its own, of 256 KiB. Skips the test where mounting one is not allowed. */
class SmallWorkspace extends Workspace {
  constructor(context: TestContext) {
    super();
    mkdirSync(this.root);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", this.root], { stdio: "ignore" });
    } catch {
      super[Symbol.dispose]();
      context.skip("needs the right to mount a tmpfs");
    }
  }

  makeReadOnly(): void {
    // The lock is open for writing, which the system takes for a reason to refuse.
    this.store.close();
    execFileSync("mount", ["-o", "remount,ro", this.root], { stdio: "ignore" });
  }

  override [Symbol.dispose](): void {
    this.store.close();
    execFileSync("umount", [this.root], { stdio: "ignore" });
    super[Symbol.dispose]();
  }
}

describe("a full disk", () => {
  it("refuses the write, and leaves the document as it was", async (context) => {
    using workspace = new SmallWorkspace(context);
    await workspace.write("a.md", "old", 0);
    await expect(workspace.write("a.md", "x".repeat(1_000_000), 1)).rejects.toMatchObject({
      code: ErrorCode.ResourceExhausted,
      message: 'Cannot write "a.md": no space left on the device',
    });
    expect(await workspace.read("a.md")).toEqual({ text: "old", metadata: undefined, version: 1 });
    expect(workspace.files()).toEqual([".orchestra-lock.version", "a.md", "a.md.version"]);
    expect(await workspace.write("a.md", "new", 1)).toBe(2);
  });
});

describe("a read-only file system", () => {
  it("can be read, and says no to the rest", async (context) => {
    using workspace = new SmallWorkspace(context);
    await workspace.write("a.md", "old", 0);
    workspace.makeReadOnly();
    const refused = { code: ErrorCode.PermissionDenied, message: expect.stringContaining("read-only") };
    await expect(workspace.write("a.md", "new", 1)).rejects.toMatchObject(refused);
    await expect(workspace.store.delete("a.md")).rejects.toMatchObject(refused);
    expect(await workspace.read("a.md")).toMatchObject({ text: "old" });
    expect(await workspace.list()).toEqual(["a.md"]);
  });
});
