import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManifestProbe, type ProbeSpec } from "../src/manifest-probe.ts";
import { startTestHub } from "../src/testing/index.ts";
import { fixture } from "./plugins.ts";

const program = join(import.meta.dirname, "fixtures", "plugin.ts");
let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "orchestrator-probe-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const childFile = () => join(directory, "child");

function spec(whenAsked: string, timeoutMs = 20_000): ProbeSpec {
  const path = process.env["PATH"] ?? "";
  const env = { PATH: path, FIXTURE_ID: "tools.a", WHEN_ASKED: whenAsked, CHILD_FILE: childFile() };
  return { command: [process.execPath, program], cwd: directory, env, timeoutMs };
}

/** Whether the process that the program left behind still runs. */
function childLives(): boolean {
  const pid = readFileSync(childFile(), "utf8");
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const never = new AbortController().signal;

describe.runIf(process.platform === "linux")("asking a program for its manifest", () => {
  it("leaves no process behind when the program does", async () => {
    const { manifest } = await new ManifestProbe().read(spec("leave-child"), never);
    expect(manifest?.id).toBe("tools.a");
    await expect.poll(childLives).toBe(false);
  });

  it("ends with the whole group when the program is late", async () => {
    // It has to get as far as to have a child.
    for (let timeoutMs = 300; !existsSync(childFile()); timeoutMs *= 2) {
      const { manifest } = await new ManifestProbe().read(spec("hang", timeoutMs), never);
      expect(manifest).toBeUndefined();
    }
    await expect.poll(childLives).toBe(false);
  });

  it("ends with the whole group when nobody wants to know any more", async () => {
    const abort = new AbortController();
    const reading = new ManifestProbe().read(spec("hang"), abort.signal);
    await expect.poll(() => existsSync(childFile())).toBe(true);
    abort.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
    await expect.poll(childLives).toBe(false);
  });

  it("reads no more than 1 MiB", async () => {
    await expect(new ManifestProbe().read(spec("flood"), never)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("more than 1048576 bytes"),
    });
  });

  it("happens once per program, and again when an operator restarts the plugin", async () => {
    const probe = new ManifestProbe();
    const first = await probe.read(spec("leave-child"), never);
    rmSync(childFile());
    expect(await probe.read(spec("leave-child"), never)).toBe(first);
    expect(existsSync(childFile())).toBe(false);
    probe.forget(first.program);
    expect(await probe.read(spec("leave-child"), never)).toEqual(first);
    await expect.poll(childLives).toBe(false);
  });

  it("says what to do about a program that is not there", async () => {
    const missing: ProbeSpec = { ...spec(""), command: ["/nowhere/program"] };
    await expect(new ManifestProbe().read(missing, never)).rejects.toMatchObject({ code: "START_FAILED" });
  });
});

describe.runIf(process.platform === "linux")("a plugin whose program", () => {
  it("hangs when it is asked holds the others up for a moment only, and may still run", async () => {
    await using hub = await startTestHub({
      identifyMs: 300,
      plugins: [
        fixture(
          "tools.a",
          { LINK: "fd", WHEN_ASKED: "hang", TOOLS: "a", CHILD_FILE: childFile() },
          { start_timeout_ms: 2_000 },
        ),
        fixture("tools.b", { LINK: "fd", TOOLS: "b" }),
      ],
    });
    // Half of its time is gone when it is started: on a machine with much else to do it may take a second try.
    await expect.poll(() => hub.hub.plugins.map(({ isReady }) => isReady)).toEqual([true, true]);
    await expect.poll(childLives).toBe(false);
  });
});
