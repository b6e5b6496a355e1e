import { describe, expect, it } from "vitest";
import { ErrorCode, HubError } from "./errors.ts";
import { checkManifest, manifestFromJson, manifestToJson } from "./manifest.ts";
import { PluginManifest } from "./messages.ts";

const full: PluginManifest = {
  ...PluginManifest.fromPartial({}),
  id: "tools.features",
  version: "1.0.6",
  description: 'Tools "for" features',
  author: "somebody",
  language: "go",
  providesTools: ["create_feature", "get_feature"],
  providesStorage: ["markdown"],
  providesTransport: ["stdio"],
  providesAi: ["claude"],
  providesPrompts: ["review"],
  needsStorage: ["markdown"],
  needsAi: ["openai"],
  needsTools: ["*"],
};

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(HubError);
    expect((error as HubError).code).toBe(ErrorCode.InvalidArgument);
    return (error as HubError).message;
  }
  return "accepted";
}

describe("manifestToJson", () => {
  it("prints one compact line with the keys in their fixed order", () => {
    expect(manifestToJson(full)).toBe(
      '{"id":"tools.features","version":"1.0.6","description":"Tools \\"for\\" features","author":"somebody","language":"go",' +
        '"provides_tools":["create_feature","get_feature"],"provides_storage":["markdown"],"provides_transport":["stdio"],' +
        '"provides_ai":["claude"],"provides_prompts":["review"],"needs_storage":["markdown"],"needs_ai":["openai"],"needs_tools":["*"]}',
    );
  });

  it("prints empty lists, never null, and nothing over several lines", () => {
    const text = manifestToJson(PluginManifest.fromPartial({ id: "x", description: "two\nlines" }));
    expect(text).not.toContain("\n");
    expect(JSON.parse(text)).toMatchObject({ provides_tools: [], provides_prompts: [], needs_tools: [] });
  });
});

describe("manifestFromJson", () => {
  it("reads back what is printed", () => {
    expect(manifestFromJson(manifestToJson(full))).toEqual(full);
  });

  it("reads the pretty form of other runtimes, with events, a binary, and keys that are missing, null or unknown", () => {
    const text = `{
  "id": "engine.rag",
  "version": "0.1.0",
  "language": "rust",
  "binary": "bin/engine",
  "provides_tools": ["search"],
  "provides_events": ["indexed"],
  "provides_storage": null,
  "needs_events": ["feature.updated"],
  "homepage": {"url": "x"}
}
`;
    expect(manifestFromJson(text)).toMatchObject({
      id: "engine.rag",
      language: "rust",
      description: "",
      binary: "bin/engine",
      providesTools: ["search"],
      providesEvents: ["indexed"],
      providesStorage: [],
      needsEvents: ["feature.updated"],
      needsTools: [],
    });
  });

  it("keeps arguments and environment, also a variable with a name that is special in JavaScript", () => {
    const manifest = manifestFromJson('{"id":"x","args":["--a"],"env":{"__proto__":"p","B":"b"}}');
    expect(manifest.args).toEqual(["--a"]);
    expect(Object.entries(manifest.env)).toEqual([
      ["__proto__", "p"],
      ["B", "b"],
    ]);
  });

  it.each([
    ["panic: no such file", "not JSON"],
    ["", "not JSON"],
    ["[]", "not a JSON object"],
    ["null", "not a JSON object"],
    ['{"id": 7}', '"id" should be a string'],
    ['{"id": "x", "provides_tools": "a"}', '"provides_tools" should be a list of strings'],
    ['{"id": "x", "needs_tools": [1]}', '"needs_tools" should be a list of strings'],
    ['{"id": "x", "env": ["A=b"]}', '"env" should be an object of strings'],
    ['{"id": "x", "env": {"A": 1}}', '"env" should be an object of strings'],
    ["{}", 'id ""'],
  ])("refuses %s, saying why", (text, reason) => {
    expect(refusal(() => manifestFromJson(text))).toContain(reason);
  });
});

describe("checkManifest", () => {
  const check = (over: Partial<PluginManifest>) => refusal(() => checkManifest({ ...full, ...over }));

  it.each(
    ["a", "tools.features", "storage.markdown", "x-1", "Tools_2", "@", "a".repeat(64)].map((id) => [id, id !== "@"]),
  )("takes the id %s: %s", (id, good) => {
    expect(check({ id: id as string }) === "accepted").toBe(good);
  });

  it.each(["", ".hidden", "../x", "a/b", "a\\b", "a b", "a\n", "ä", "-x", "a".repeat(65)])(
    "refuses the id %j",
    (id) => {
      expect(check({ id })).toContain("Cannot accept manifest: id");
    },
  );

  it.each(["", "1.0.0", "v1.2", "0.1.0-rc.1+build.5", "dev", "2026-11-21"])("takes the version %j", (version) => {
    expect(check({ version })).toBe("accepted");
  });

  it.each(["1 0", "1.0.0\n", "$(x)", "1".repeat(65)])("refuses the version %j", (version) => {
    expect(check({ version })).toContain("version");
  });

  it("limits names, lists and texts", () => {
    expect(check({ providesTools: [""] })).toContain("provides_tools");
    expect(check({ needsEvents: ["a\u0000"] })).toContain("needs_events");
    expect(check({ providesAi: ["x".repeat(257)] })).toContain("provides_ai");
    expect(check({ providesPrompts: Array(4097).fill("p") })).toContain("4096 entries");
    expect(check({ description: "d".repeat(16 * 1024 + 1) })).toContain("description");
    expect(check({ args: ["", "\n"] })).toBe("accepted");
    expect(check({ providesTools: Array.from({ length: 4096 }, (_, i) => `tool ${i} ü`) })).toBe("accepted");
  });

  it("does not repeat a long text in its message", () => {
    expect(check({ id: "x".repeat(5000) }).length).toBeLessThan(300);
  });
});
