import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { isReservedFlag, parseFlags, usage } from "./flags.ts";

describe("parseFlags", () => {
  it("has the defaults that existing hosts rely on", () => {
    expect(parseFlags([])).toEqual({
      orchestratorAddr: "",
      listenAddr: "localhost:0",
      certsDir: "~/.orchestra/certs",
      manifest: false,
      help: false,
      values: {},
    });
  });

  it.each([
    ["joined", ["--orchestrator-addr=127.0.0.1:5", "--listen-addr=localhost:0", "--certs-dir=/c"]],
    ["separate", ["--orchestrator-addr", "127.0.0.1:5", "--listen-addr", "localhost:0", "--certs-dir", "/c"]],
    ["one dash", ["-orchestrator-addr=127.0.0.1:5", "-certs-dir", "/c"]],
  ])("reads %s flags", (_name, argv) => {
    expect(parseFlags(argv)).toMatchObject({
      orchestratorAddr: "127.0.0.1:5",
      listenAddr: "localhost:0",
      certsDir: "/c",
    });
  });

  it("lets the last one win, also for the plugin's own flags", () => {
    const flags = parseFlags(["--workspace=a", "--certs-dir", "x", "--workspace", "b=c", "--certs-dir=y"], {
      workspace: ".",
      level: "info",
    });
    expect(flags.values).toEqual({ workspace: "b=c", level: "info" });
    expect(flags.certsDir).toBe("y");
  });

  it("takes an empty value as it is for own flags and as absent for the host's", () => {
    const flags = parseFlags(["--listen-addr=", "--workspace="], { workspace: "." });
    expect(flags.listenAddr).toBe("localhost:0");
    expect(flags.values).toEqual({ workspace: "" });
  });

  it("takes a value that looks like a flag, as a separate word", () => {
    expect(parseFlags(["--workspace", "--manifest"], { workspace: "." })).toMatchObject({
      values: { workspace: "--manifest" },
      manifest: false,
    });
  });

  it("reads switches", () => {
    expect(parseFlags(["--manifest"]).manifest).toBe(true);
    expect(parseFlags(["-manifest=true", "--manifest=0"]).manifest).toBe(false);
    expect(parseFlags(["-h"]).help).toBe(true);
  });

  it.each([
    [["--bogus"], /Unknown flag "--bogus"/],
    [["--__proto__=1"], /Unknown flag/],
    [["--certs-dir"], /needs a value/],
    [["stray"], /Unexpected argument "stray"/],
    [["--"], /Unexpected argument/],
    [["--manifest=maybe"], /neither true nor false/],
  ])("refuses %j", (argv, message) => {
    expect(() => parseFlags(argv)).toThrow(
      expect.objectContaining({ code: ErrorCode.InvalidArgument, message: expect.stringMatching(message) }),
    );
  });
});

it("knows the names that belong to hosts", () => {
  expect(["h", "help", "manifest", "certs-dir"].every(isReservedFlag)).toBe(true);
  expect(isReservedFlag("workspace")).toBe(false);
});

it("prints every flag with its default", () => {
  const text = usage("demo", { workspace: "." });
  expect(text).toContain("--workspace VALUE            (default .)");
  expect(text).toContain(
    "--listen-addr VALUE          where to serve; port 0 lets the system choose (default localhost:0)",
  );
});
