import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ErrorCode } from "@orchestrator/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkLeafName, checkPluginId, defaultCertsDir, expandHome } from "./names.ts";

describe("checkPluginId", () => {
  it.each(["tools.features", "storage.markdown", "a", "x".repeat(64), "A_b-c+d@2"])("accepts %s", (id) => {
    expect(checkPluginId(id)).toBe(id);
  });

  it.each(["", ".", "..", "../x", "a/b", "a\\b", "a\0b", "a b", "a\n", "ä", ".hidden", "-flag", "x".repeat(65), "C:x"])(
    "refuses %j",
    (id) => {
      expect(() => checkPluginId(id)).toThrow(expect.objectContaining({ code: ErrorCode.InvalidArgument }));
    },
  );

  it.each([
    "orchestrator",
    "orchestrator-operator",
    "orchestrator-to-x",
    "Orchestrator",
    "a-client",
    "transport.stdio",
    "transport.quic-bridge",
    "Transport.WebTransport",
    "CA",
  ])("refuses %s, which would make the plugin somebody else", (id) => {
    expect(() => checkPluginId(id)).toThrow(/give the plugin another id/);
  });

  it("lets no text at all leave the directory", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom(".", "/", "\\", "a", "\0", "~") }),
    );
    fc.assert(
      fc.property(texts, (id) => {
        try {
          checkPluginId(id);
        } catch {
          return true;
        }
        return dirname(resolve("/certs/plugins", id)) === "/certs/plugins";
      }),
      { numRuns: 500 },
    );
  });
});

describe("checkLeafName", () => {
  it("keeps the authority's own files out of reach", () => {
    expect(() => checkLeafName("ca")).toThrow(/authority itself/);
    expect(() => checkLeafName("CA")).toThrow(/authority itself/);
  });

  it("has room for the hub's certificate towards the longest id", () => {
    const name = `orchestrator-to-${"x".repeat(64)}`;
    expect(checkLeafName(name)).toBe(name);
  });
});

describe("expandHome", () => {
  it("expands a leading ~ and nothing else", () => {
    expect(expandHome("~")).toBe(homedir());
    expect(expandHome("~/x/y")).toBe(join(homedir(), "x/y"));
    expect(expandHome("~root")).toBe(resolve("~root"));
    expect(expandHome("/a/../b")).toBe("/b");
    expect(defaultCertsDir()).toBe(join(homedir(), ".orchestra", "certs"));
  });
});
