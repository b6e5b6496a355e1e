import type { ToolDefinition } from "@orchestrator/protocol";
import type { AddCommand } from "../cli.ts";
import { CliError, ExitCode } from "../exit-code.ts";
import type { Style } from "../output/style.ts";
import { printable, table } from "../output/text.ts";
import { nearest } from "../suggest.ts";
import { addHubOption, type HubOptions, withHub } from "./with-hub.ts";

export const addTools: AddCommand = (cli) => {
  const command = cli.command("tools", "List the tools that the hub offers, or show one of them", {
    "orchestrator tools": "",
    "orchestrator tools create_feature": "its arguments",
  });
  addHubOption(command.argument("[tool]", "one tool")).action(
    cli.action<HubOptions>(async ({ io, report, options, args }) => {
      const tools = await withHub(io, options, async (hub) => {
        const list = await hub.ask({ $case: "listTools", value: {} }, "listTools", { signal: io.signal });
        return list.tools.map(({ _unknownFields, ...tool }) => tool);
      });
      const name = args[0] as string | undefined;
      if (name === undefined) {
        const sorted = tools.sort((a, b) => (a.name < b.name ? -1 : 1));
        report.result(sorted, (style) =>
          sorted.length === 0
            ? "No plugin offers a tool; see orchestrator plugins."
            : table(rows(sorted, style), { columns: report.columns }),
        );
        return undefined;
      }
      const tool = tools.find((one) => one.name === name) ?? notFound(name, tools);
      report.result(tool, (style) => describe(tool, style));
      return undefined;
    }),
  );
};

function rows(tools: readonly ToolDefinition[], style: Style): readonly (readonly string[])[] {
  return tools.map(({ name, description }) => [style.bold(printable(name)), printable(description.split("\n", 1)[0]!)]);
}

/** Throws "no such tool", with the one that was probably meant. */
export function notFound(name: string, tools: readonly ToolDefinition[]): never {
  const meant = nearest(
    name,
    tools.map((tool) => tool.name),
  );
  throw new CliError(ExitCode.NotFound, `There is no tool "${name}"`, {
    hint:
      meant === undefined
        ? "List them: orchestrator tools. A plugin that is disabled or does not run offers none: orchestrator plugins"
        : `Did you mean ${meant}?`,
  });
}

interface Property {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
}

function describe(tool: ToolDefinition, style: Style): readonly string[] {
  const schema = (tool.inputSchema ?? {}) as { properties?: Record<string, Property>; required?: readonly string[] };
  const entries = Object.entries(schema.properties ?? {});
  const rows = entries.map(([name, property]) => [
    style.cyan(printable(name)),
    [property.type ?? "any"].flat().join("|"),
    schema.required?.includes(name) ? style.bold("required") : "",
    printable([property.description ?? "", values(property)].filter((text) => text !== "").join(" ")),
  ]);
  return [
    style.bold(printable(tool.name)) + (tool.streaming ? style.dim(" (streams its output)") : ""),
    printable(tool.description, { multiline: true }),
    "",
    ...(rows.length === 0 ? ["Takes no arguments."] : table(rows, { indent: "  " })),
  ];
}

function values({ enum: choices, default: preset }: Property): string {
  const parts = [
    choices === undefined ? "" : `one of ${choices.join(", ")}`,
    preset === undefined ? "" : `default ${JSON.stringify(preset)}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : `(${parts.join("; ")})`;
}
