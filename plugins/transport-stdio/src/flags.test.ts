import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { parseFlags } from "./flags.ts";
import { VERSION } from "./server-info.ts";

describe("flags", () => {
  it("have defaults", () => {
    expect(parseFlags([])).toEqual({
      address: "localhost:50100",
      certsDir: undefined,
      callTimeoutMs: 120_000,
      show: undefined,
    });
  });

  it.each([
    [["--orchestrator-addr=h:1", "--certs-dir=/c"]],
    [["--orchestrator-addr", "h:1", "--certs-dir", "/c"]],
    [["-orchestrator-addr=h:1", "-certs-dir", "/c"]],
    [["--orchestrator-addr=x:9", "--orchestrator-addr=h:1", "--certs-dir=/c"]],
  ])("may be written as %j", (args) => {
    expect(parseFlags(args)).toMatchObject({ address: "h:1", certsDir: "/c" });
  });

  it.each([
    ["90s", 90_000],
    ["5m", 300_000],
    ["500ms", 500],
    ["1.5s", 1_500],
    ["30", 30_000],
    ["24h", 86_400_000],
  ])("take a call timeout of %s", (text, ms) => {
    expect(parseFlags([`--call-timeout=${text}`]).callTimeoutMs).toBe(ms);
  });

  it.each([
    [["--nonsense"]],
    [["positional"]],
    [["--"]],
    [["--certs-dir"]],
    [["--certs-dir="]],
    [["--manifest"]],
    [["--call-timeout=0"]],
    [["--call-timeout=soon"]],
    [["--call-timeout=25h"]],
    [["--call-timeout=-1s"]],
  ])("refuse %j", (args) => {
    expect(() => parseFlags(args)).toThrow(expect.objectContaining({ code: ErrorCode.InvalidArgument }));
  });

  it("ask for help or the version", () => {
    expect(parseFlags(["--help"]).show).toBe("help");
    expect(parseFlags(["-h"]).show).toBe("help");
    expect(parseFlags(["--version"]).show).toBe("version");
    expect(VERSION).toBe(manifest.version);
  });
});
