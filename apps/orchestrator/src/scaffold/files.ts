/** What a new plugin is called and what it depends on. */
export interface Blueprint {
  /** Its id, which is also the name of its directory. */
  readonly id: string;
  /** Version or place of @orchestrator/runtime, as package.json has it. */
  readonly runtime: string;
  /** The same of what only development needs. */
  readonly typescript: string;
  readonly nodeTypes: string;
}

/** The files of a new plugin by their path: a tool, its test, and all that it takes to run, test, check and build. */
export function pluginFiles(blueprint: Blueprint): Readonly<Record<string, string>> {
  const { id } = blueprint;
  return {
    "package.json": packageJson(blueprint),
    "tsconfig.json": TSCONFIG,
    "plugins.yaml": pluginsYaml(id),
    ".gitignore": "node_modules/\ndist/\n.orchestrator/\n",
    "README.md": readme(id),
    "src/plugin.ts": pluginTs(id),
    "src/main.ts": MAIN,
    "src/plugin.test.ts": pluginTest(toolName(id)),
  };
}

/** `tools.my-notes` → `my_notes_greet`: names of tools are shared by all plugins of a hub. */
export function toolName(id: string): string {
  const word = id
    .split(".")
    .at(-1)!
    .replace(/[^A-Za-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .toLowerCase();
  return `${/^[a-z]/.test(word) ? word : `plugin_${word}`}_greet`;
}

function packageJson({ id, runtime, typescript, nodeTypes }: Blueprint): string {
  const manifest = {
    name: id.toLowerCase().replace(/[^a-z0-9._-]+/g, "-"),
    version: "0.1.0",
    private: true,
    type: "module",
    engines: { node: ">=24" },
    scripts: {
      start: "node src/main.ts",
      test: 'node --test "src/**/*.test.ts"',
      typecheck: "tsc --noEmit",
      build: "tsc",
    },
    dependencies: { "@orchestrator/runtime": runtime },
    devDependencies: { "@types/node": nodeTypes, typescript },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

const TSCONFIG = `{
  "compilerOptions": {
    "target": "es2024",
    "module": "nodenext",
    "types": ["node"],
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "skipLibCheck": true,
    // Node runs these files as they are; the compiler checks them, and makes JavaScript of them for publishing.
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true,
    "rewriteRelativeImportExtensions": true,
    "rootDir": "src",
    "outDir": "dist"
  },
  "include": ["src"]
}
`;

function pluginsYaml(id: string): string {
  return `# What "orchestrator serve" runs in this directory.
plugins:
  - id: ${id}
    binary: ./src/main.ts
`;
}

function pluginTs(id: string): string {
  return `import { definePlugin, ToolError, tool } from "@orchestrator/runtime";

export const plugin = definePlugin({
  id: "${id}",
  version: "0.1.0",
  description: "Greets people",
  tools: {
    ${toolName(id)}: tool({
      description: "Greets somebody by name.",
      // A JSON Schema; a zod or valibot schema works as well, and gives the input its type.
      input: {
        type: "object",
        properties: {
          name: { type: "string", description: "Who is greeted" },
          times: { type: "integer", minimum: 1, maximum: 10, default: 1, description: "How often" },
        },
        required: ["name"],
        additionalProperties: false,
      },
      async run({ name, times }, { caller }) {
        // What a tool throws as a ToolError is for the model to read; the first word is for programs.
        if (String(name).trim() === "") throw new ToolError("validation_error", "Nobody to greet: name is empty");
        const text = Array.from({ length: Number(times) }, () => \`Hello, \${name}!\`).join(" ");
        return { text, caller };
      },
    }),
  },
});
`;
}

const MAIN = `#!/usr/bin/env node
import { plugin } from "./plugin.ts";

await plugin.serve();
`;

function pluginTest(tool: string): string {
  return `import assert from "node:assert/strict";
import { test } from "node:test";
import { testPlugin } from "@orchestrator/runtime/testing";
import { plugin } from "./plugin.ts";

test("greets as often as it is told", async () => {
  await using running = await testPlugin(plugin);
  const once = await running.callTool("${tool}", { name: "Ada" });
  assert.equal(once["text"], "Hello, Ada!");
  const twice = await running.callTool("${tool}", { name: "Ada", times: 2 });
  assert.equal(twice["text"], "Hello, Ada! Hello, Ada!");
});

test("says what is wrong with its input", async () => {
  await using running = await testPlugin(plugin);
  await assert.rejects(running.callTool("${tool}", { name: " " }), /name is empty/);
  await assert.rejects(running.callTool("${tool}", {}), /name/);
});
`;
}

function readme(id: string): string {
  return `# ${id}

A plugin for Orchestra.

| command | what it does |
|---|---|
| \`orchestrator serve\` | runs a hub with this plugin (see \`plugins.yaml\`) |
| \`orchestrator call ${toolName(id)} --arg name=Ada\` | calls its tool, while that hub runs |
| \`npm test\` | runs its tests, without a hub |
| \`npm run build\` | checks the types and makes JavaScript in \`dist/\` |
| \`node src/main.ts --manifest\` | prints what it offers |

To run it in the hub of another workspace, add it to that one's \`plugins.yaml\`:

\`\`\`yaml
plugins:
  - id: ${id}
    binary: /path/to/${id}/src/main.ts
\`\`\`
`;
}
