import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it, onTestFinished } from "vitest";
import { tempDirectory } from "../test/temp.ts";
import { openAuthority } from "./authority.ts";
import { commitNewFile, stageFile, writePrivateFile } from "./files.ts";

/** A file system of its own, or undefined where this user may not mount one. */
function mountTmpfs(options: string): string | undefined {
  const path = tempDirectory();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  onTestFinished(() => {
    execFileSync("umount", [path]);
  });
  return path;
}

describe("a certificates directory", () => {
  it("is mended where it is clearly ours, and the operator is told", async () => {
    const directory = tempDirectory();
    await (await openAuthority(directory)).leaf("x");
    chmodSync(directory, 0o755);
    chmodSync(join(directory, "ca.key"), 0o644);
    chmodSync(join(directory, "x.key"), 0o640);
    const authority = await openAuthority(directory);
    await authority.leaf("x");
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, "ca.key")).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, "x.key")).mode & 0o777).toBe(0o600);
    expect(authority.warnings).toEqual([
      expect.stringMatching(/mode 0755/),
      expect.stringMatching(/ca\.key" had mode 0644/),
      expect.stringMatching(/x\.key" had mode 0640/),
    ]);
  });

  it("may be an empty directory with the usual modes", async () => {
    const directory = join(tempDirectory(), "certs");
    mkdirSync(directory, { mode: 0o755 });
    await openAuthority(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it("is refused where it holds other things or is everyone's, and is left alone", async () => {
    const home = tempDirectory();
    writeFileSync(join(home, "letter.txt"), "");
    chmodSync(home, 0o755);
    await expect(openAuthority(home)).rejects.toMatchObject({
      code: ErrorCode.PermissionDenied,
      message: expect.stringMatching(/mode 0755 and other things in it.*chmod 700/),
    });
    expect(statSync(home).mode & 0o777).toBe(0o755);
    const shared = tempDirectory();
    chmodSync(shared, 0o1777);
    await expect(openAuthority(shared)).rejects.toMatchObject({ code: ErrorCode.PermissionDenied });
    expect(readdirSync(shared)).toEqual([]);
  });

  it("is refused where it is a link, a file, or below a file", async () => {
    const directory = tempDirectory();
    symlinkSync(tempDirectory(), join(directory, "link"));
    writeFileSync(join(directory, "file"), "");
    await expect(openAuthority(join(directory, "link"))).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition });
    for (const path of ["file", "file/below"]) {
      await expect(openAuthority(join(directory, path))).rejects.toMatchObject({ code: ErrorCode.FailedPrecondition });
    }
  });

  it.each(["ca.key", "ca.crt", "x.key"])("may not have a link in place of %s", async (file) => {
    const directory = tempDirectory();
    const authority = await openAuthority(directory);
    await authority.leaf("x");
    const elsewhere = join(tempDirectory(), file);
    writeFileSync(elsewhere, readFileSync(join(directory, file)));
    execFileSync("ln", ["-sf", elsewhere, join(directory, file)]);
    const again = openAuthority(directory).then((opened) => opened.leaf("x"));
    await expect(again).rejects.toThrow(/is a symbolic link; put the file itself there/);
  });

  it("is not read without end", async () => {
    const directory = tempDirectory();
    await openAuthority(directory);
    writeFileSync(join(directory, "x.crt"), Buffer.alloc(1024 * 1024 + 1));
    await expect((await openAuthority(directory)).leaf("x")).rejects.toThrow(/1048577 bytes, at most 1048576/);
  });
});

describe("on a disk without room", () => {
  it("says so, and neither half of an authority is there", async ({ skip }) => {
    const disk = mountTmpfs("size=16k,mode=700");
    if (disk === undefined) return skip("needs the right to mount a file system");
    writeFileSync(join(disk, "filler"), Buffer.alloc(12 * 1024));
    // The directory and the lock take the last page.
    const failure = openAuthority(join(disk, "certs"));
    await expect(failure).rejects.toMatchObject({
      code: ErrorCode.ResourceExhausted,
      message: expect.stringMatching(/disk is full; free some space and start again \(ENOSPC\)/),
    });
    expect(readdirSync(join(disk, "certs"))).toEqual([]);
  });

  it("keeps the old pair when there is no room for the new one", async ({ skip }) => {
    const disk = mountTmpfs("size=40k,mode=700");
    if (disk === undefined) return skip("needs the right to mount a file system");
    const directory = join(disk, "certs");
    const old = await (await openAuthority(directory, { lifetimeDays: 3 })).leaf("x");
    let left = 8;
    for (; left > 0; left--) {
      try {
        writeFileSync(join(disk, `filler${left}`), Buffer.alloc(4096));
      } catch {
        break;
      }
    }
    const soon = Date.now() + 2.5 * 86_400_000;
    const late = await openAuthority(directory, { now: () => soon });
    await expect(late.leaf("y")).rejects.toMatchObject({ code: ErrorCode.ResourceExhausted });
    expect(readFileSync(join(directory, "x.crt"), "utf8")).toBe(old.certPem);
    expect(readdirSync(directory).sort()).toEqual(["ca.crt", "ca.key", "x.crt", "x.key"]);
  });
});

it("says that a file system is read-only", async ({ skip }) => {
  const disk = mountTmpfs("size=64k,mode=700,ro");
  if (disk === undefined) return skip("needs the right to mount a file system");
  await expect(openAuthority(join(disk, "certs"))).rejects.toMatchObject({
    code: ErrorCode.PermissionDenied,
    message: expect.stringMatching(/read-only; choose another directory/),
  });
});

it("gives up on a place where no directory can be made", async ({ skip }) => {
  if (process.platform !== "linux") return skip("needs /proc");
  await expect(openAuthority("/proc/nothing/certs")).rejects.toThrow(/none can be made there/);
});

it("says that a directory may not be written", async () => {
  const directory = tempDirectory();
  chmodSync(directory, 0o555);
  // Root may write everywhere, so it steps down for the moment.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid!(65_534);
  try {
    await expect(openAuthority(join(directory, "certs"))).rejects.toMatchObject({ code: ErrorCode.PermissionDenied });
  } finally {
    if (isRoot) process.seteuid!(0);
  }
});

describe("commitNewFile", () => {
  it("never replaces, and cleans up", () => {
    const directory = tempDirectory();
    const path = join(directory, "file");
    expect(commitNewFile(stageFile(path, "one"), path)).toBe(true);
    expect(commitNewFile(stageFile(path, "two"), path)).toBe(false);
    expect(readFileSync(path, "utf8")).toBe("one");
    expect(readdirSync(directory)).toEqual(["file"]);
    writePrivateFile(path, "three");
    expect(readFileSync(path, "utf8")).toBe("three");
    expect(readdirSync(directory)).toEqual(["file"]);
  });
});
