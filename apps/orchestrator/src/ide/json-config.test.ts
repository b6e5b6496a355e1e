import fc from "fast-check";
import jsonc from "jsonc-parser";
import { describe, expect, it } from "vitest";
import { editJson } from "./json-config.ts";
import { ConfigFileError } from "./server-entry.ts";

const settings = [
  { path: ["mcpServers", "orchestra", "command"], value: "/bin/x" },
  { path: ["mcpServers", "orchestra", "args"], value: ["mcp", "--workspace", "/w"] },
];
const ours = { command: "/bin/x", args: ["mcp", "--workspace", "/w"] };
const parse = (text: string) => jsonc.parse(text, [], { allowTrailingComma: true });

describe("editJson", () => {
  it.each(["", "  \n", "{}", "\ufeff{}", "// nothing yet\n", "{\n}\n"])("fills %j", (text) => {
    expect(parse(editJson(text, settings).replace(/^\ufeff/, ""))).toEqual({ mcpServers: { orchestra: ours } });
  });

  it("keeps comments, layout, other servers, trailing commas and the end of line", () => {
    const text = [
      "// my servers",
      "{",
      '\t"mcpServers": {',
      '\t\t/* the good one */ "other": { "command": "y",   "args": [], }, // keep',
      "\t},",
      '\t"zoom": 1.50, // as I like it',
      "}",
      "",
    ].join("\r\n");
    const edited = editJson(text, settings);
    for (const part of [
      "// my servers\r\n",
      '/* the good one */ "other": { "command": "y",   "args": [], }',
      '"zoom": 1.50, // as I like it\r\n',
    ]) {
      expect(edited).toContain(part);
    }
    expect(edited.replaceAll("\r\n", "")).not.toContain("\n");
    expect(edited).toContain('\t\t"orchestra": {');
    expect(parse(edited)).toEqual({ mcpServers: { other: { command: "y", args: [] }, orchestra: ours }, zoom: 1.5 });
  });

  it("leaves what the user added to our entry, and changes nothing the second time", () => {
    const text = '{"mcpServers":{"orchestra":{"command":"/old","env":{"KEY":"v"},"disabled":true}}}';
    const edited = editJson(text, settings);
    expect(parse(edited).mcpServers.orchestra).toEqual({ ...ours, env: { KEY: "v" }, disabled: true });
    expect(editJson(edited, settings)).toBe(edited);
  });

  it.each([
    ["{", /not valid JSON/],
    ['{"mcpServers": {}} trailing', /not valid JSON/],
    ["{'a': 1}", /line 1: .*not valid JSON/],
    ["[]", /an array, not an object/],
    ["null", /null, not an object/],
    ['{"mcpServers": []}', /"mcpServers" is an array/],
    ['{"mcpServers": {"orchestra": "x"}}', /"mcpServers.orchestra" is a string/],
    ['{"mcpServers": {"a": 1}, "mcpServers": {"b": 2}}', /stands in it twice/],
  ])("refuses %s", (text, reason) => {
    expect(() => editJson(text, settings)).toThrow(ConfigFileError);
    expect(() => editJson(text, settings)).toThrow(reason);
  });

  it("loses nothing of any document", () => {
    const name = fc.string({ maxLength: 8 }).filter((key) => key !== "__proto__");
    const servers = fc.dictionary(name, fc.record({ command: fc.string(), args: fc.array(fc.string()) }));
    const documents = fc.record({ mcpServers: servers, rest: fc.jsonValue() }, { requiredKeys: [] });
    fc.assert(
      fc.property(documents, fc.constantFrom(0, 2, 4, "\t"), (document, indent) => {
        const text = JSON.stringify(document, null, indent);
        const before = JSON.parse(text);
        // The strict reader: the lenient one takes a key "__proto__" for the prototype.
        const after = JSON.parse(editJson(text, settings));
        const { orchestra, ...others } = after.mcpServers;
        const { orchestra: was, ...wereOthers } = before.mcpServers ?? {};
        expect({ ...after, mcpServers: others }).toEqual({ ...before, mcpServers: wereOthers });
        expect(orchestra).toEqual({ ...was, ...ours });
      }),
    );
  });
});
