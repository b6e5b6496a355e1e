import { join } from "node:path";
import { editJson, type JsonSetting } from "./json-config.ts";
import type { ServerEntry } from "./server-entry.ts";
import { editToml } from "./toml-config.ts";
import { editYaml } from "./yaml-config.ts";

export interface Places {
  /** Absolute. */
  readonly workspace: string;
  /** Absolute. */
  readonly home: string;
}

/** One MCP client, and how it learns of this program. */
export interface Target {
  readonly id: string;
  readonly label: string;
  /** Files or directories that show that it is in use here. */
  readonly signs: (places: Places) => readonly string[];
  readonly file: (places: Places) => string;
  /** The text with the server in it. @throws {ConfigFileError} when the text cannot be changed without risk */
  readonly edit: (text: string, server: ServerEntry) => string;
}

/** `<key>.<name> = { command, args }`; other keys of the entry (an environment, a switch) are the user's and stay. */
function entryOf(key: string, { name, command, args }: ServerEntry): JsonSetting[] {
  return [
    { path: [key, name, "command"], value: command },
    { path: [key, name, "args"], value: args },
  ];
}

const mcpServers = (text: string, server: ServerEntry): string => editJson(text, entryOf("mcpServers", server));

export const TARGETS: readonly Target[] = [
  {
    id: "claude",
    label: "Claude Code",
    signs: ({ workspace }) => [join(workspace, ".mcp.json"), join(workspace, ".claude")],
    file: ({ workspace }) => join(workspace, ".mcp.json"),
    edit: mcpServers,
  },
  {
    id: "cursor",
    label: "Cursor",
    signs: ({ workspace }) => [join(workspace, ".cursor")],
    file: ({ workspace }) => join(workspace, ".cursor", "mcp.json"),
    edit: mcpServers,
  },
  {
    id: "vscode",
    label: "VS Code",
    signs: ({ workspace }) => [join(workspace, ".vscode")],
    file: ({ workspace }) => join(workspace, ".vscode", "mcp.json"),
    // VS Code itself reads "servers"; extensions and other tools that share the file read "mcpServers".
    edit: (text, server) =>
      editJson(text, [
        { path: ["servers", server.name, "type"], value: "stdio" },
        ...entryOf("servers", server),
        ...entryOf("mcpServers", server),
      ]),
  },
  {
    id: "cline",
    label: "Cline",
    signs: ({ workspace }) => [join(workspace, ".clinerules"), join(workspace, ".cline")],
    file: ({ workspace }) => join(workspace, ".vscode", "mcp.json"),
    edit: mcpServers,
  },
  {
    id: "windsurf",
    label: "Windsurf",
    signs: ({ home }) => [join(home, ".codeium")],
    file: ({ home }) => join(home, ".codeium", "windsurf", "mcp_config.json"),
    edit: mcpServers,
  },
  {
    id: "gemini",
    label: "Gemini CLI",
    signs: ({ workspace }) => [join(workspace, ".gemini")],
    file: ({ workspace }) => join(workspace, ".gemini", "settings.json"),
    edit: mcpServers,
  },
  {
    id: "zed",
    label: "Zed",
    signs: ({ workspace }) => [join(workspace, ".zed")],
    file: ({ workspace }) => join(workspace, ".zed", "settings.json"),
    edit: (text, { name, command, args }) =>
      editJson(text, [
        { path: ["context_servers", name, "command", "path"], value: command },
        { path: ["context_servers", name, "command", "args"], value: args },
      ]),
  },
  {
    id: "codex",
    label: "Codex",
    signs: ({ workspace }) => [join(workspace, ".codex")],
    file: ({ workspace }) => join(workspace, ".codex", "config.toml"),
    edit: (text, { name, command, args }) => editToml(text, ["mcp_servers", name], { command, args }),
  },
  {
    id: "continue",
    label: "Continue",
    signs: ({ workspace }) => [join(workspace, ".continue")],
    file: ({ workspace }) => join(workspace, ".continue", "mcpServers", "orchestra.yaml"),
    // Continue reads the list; "command" and "args" at the top are what other programs of this family write and look for.
    edit: (text, { name, command, args }) =>
      editYaml(text, { name, version: "1.0.0", schema: "v1", command, args }, "mcpServers", { name, command, args }),
  },
];
