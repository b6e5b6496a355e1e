import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it, onTestFinished } from "vitest";
import { PluginSwitches } from "./plugin-switches.ts";

function open() {
  const directory = mkdtempSync(join(tmpdir(), "orchestrator-switches-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const told: string[] = [];
  return { directory, told, switches: new PluginSwitches(directory, (text) => told.push(text)) };
}

describe("the file of switches", () => {
  it("is replaced as a whole, never written over: whoever reads it has the old one or the new one", () => {
    const { directory, switches } = open();
    switches.set("a", false);
    const before = readFileSync(switches.file, "utf8");
    const reader = openSync(switches.file, "r");
    onTestFinished(() => closeSync(reader));
    switches.set("b", false);
    switches.set("a", true);
    expect(readFileSync(reader, "utf8")).toBe(before);
    expect(JSON.parse(readFileSync(switches.file, "utf8"))).toEqual({
      version: 1,
      plugins: { a: { enabled: true }, b: { enabled: false } },
    });
    expect([readdirSync(directory), statSync(switches.file).mode & 0o777]).toEqual([["plugins-state.json"], 0o600]);
  });

  it("that cannot be written changes nothing, and leaves nothing beside it", () => {
    const { directory, switches } = open();
    switches.set("a", false);
    rmSync(switches.file);
    mkdirSync(switches.file);
    const failed = { code: ErrorCode.Internal, message: expect.stringContaining(switches.file) };
    expect(() => switches.set("a", true)).toThrow(expect.objectContaining(failed));
    expect([switches.isEnabled("a"), readdirSync(directory)]).toEqual([false, ["plugins-state.json"]]);
  });
});
