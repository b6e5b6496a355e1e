import fc from "fast-check";
import { parse, stringify } from "smol-toml";
import { describe, expect, it } from "vitest";
import { ConfigFileError } from "./server-entry.ts";
import { editToml } from "./toml-config.ts";

const path = ["mcp_servers", "orchestra"];
const ours = { command: "/bin/x y", args: ["mcp", "--workspace", 'C:\\w "q"'] };

describe("editToml", () => {
  it.each(["", "\n", "# only a comment", 'model = "o3"\n', "[other]\na = 1"])("appends to %j", (text) => {
    const edited = editToml(text, path, ours);
    expect(edited.startsWith(text)).toBe(true);
    expect(parse(edited)).toEqual({ ...parse(text), mcp_servers: { orchestra: ours } });
    expect(editToml(edited, path, ours)).toBe(edited);
  });

  it("replaces our values and nothing else", () => {
    const text = `# mine
model = "o3" # keep

[mcp_servers.other]
command = "y"

[mcp_servers."orchestra"] # ours
# a remark
command = "/old"
args = [
  "serve", # old
  "[x]",
]
startup_timeout_ms = 20_000

[mcp_servers.orchestra.env]
KEY = "[mcp_servers.orchestra]"

[last]
text = """
[mcp_servers.fake]
command = 1
"""
`;
    const edited = editToml(text, path, ours);
    const before = parse(text) as { mcp_servers: { orchestra: object } };
    expect(parse(edited)).toEqual({
      ...before,
      mcp_servers: { ...before.mcp_servers, orchestra: { ...before.mcp_servers.orchestra, ...ours } },
    });
    for (const kept of [
      "# mine\n",
      'model = "o3" # keep',
      "# ours\n",
      "# a remark\n",
      "startup_timeout_ms = 20_000\n",
      "[mcp_servers.fake]\ncommand = 1\n",
    ]) {
      expect(edited).toContain(kept);
    }
    expect(edited).not.toContain("# old");
    expect(editToml(edited, path, ours)).toBe(edited);
  });

  it("keeps the end of line", () => {
    const edited = editToml('a = 1\r\n[mcp_servers.orchestra]\r\ncommand = "z"\r\n', path, ours);
    expect(edited.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
  });

  it.each([
    ["a = ", /not valid TOML/],
    ['mcp_servers = { orchestra = { command = "z" } }', /cannot be changed safely/],
    ['mcp_servers.orchestra.command = "z"', /cannot be changed safely/],
    ["mcp_servers = 1", /cannot be changed safely|not valid/],
    ['[[mcp_servers.orchestra]]\ncommand = "z"', /cannot be changed safely/],
    ['x = """\n[mcp_servers.orchestra]\n"""\n[mcp_servers]\norchestra = { command = "z" }', /cannot be changed safely/],
  ])("refuses %s", (text, reason) => {
    expect(() => editToml(text, path, ours)).toThrow(ConfigFileError);
    expect(() => editToml(text, path, ours)).toThrow(reason);
  });

  it("loses nothing of any document that it changes", () => {
    const key = fc.stringMatching(/^[a-z]{1,6}$/);
    const value = fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.integer(),
      fc.boolean(),
      fc.array(fc.string({ maxLength: 5 })),
    );
    const table = fc.dictionary(key, value, { maxKeys: 3 });
    const documents = fc.record({
      a: table,
      mcp_servers: fc.dictionary(fc.constantFrom("orchestra", "b", "c"), table),
    });
    fc.assert(
      fc.property(documents, (document) => {
        const text = stringify(document);
        const before = parse(text) as { mcp_servers?: Record<string, object> };
        const after = parse(editToml(text, path, ours));
        const servers = { ...before.mcp_servers, orchestra: { ...before.mcp_servers?.["orchestra"], ...ours } };
        expect(JSON.parse(JSON.stringify(after))).toEqual(
          JSON.parse(JSON.stringify({ ...before, mcp_servers: servers })),
        );
      }),
    );
  });
});
