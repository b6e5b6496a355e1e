import type { PromptDefinition } from "@orchestrator/protocol";
import type { AddCommand } from "../cli.ts";
import { CliError, ExitCode } from "../exit-code.ts";
import type { Style } from "../output/style.ts";
import { printable, table } from "../output/text.ts";
import { nearest } from "../suggest.ts";
import { collect, parsePairs } from "./call-arguments.ts";
import { addHubOption, type HubOptions, withHub } from "./with-hub.ts";

interface Options extends HubOptions {
  readonly arg?: readonly string[];
}

export const addPrompts: AddCommand = (cli) => {
  const command = cli.command("prompts", "List the prompts that the hub offers, or fill one in", {
    "orchestrator prompts": "",
    "orchestrator prompts review --arg language=French": "",
  });
  command.argument("[prompt]", "one prompt").option("-a, --arg <key=value>", "an argument of the prompt", collect);
  addHubOption(command).action(
    cli.action<Options>(async ({ io, report, options, args }) => {
      const name = args[0] as string | undefined;
      const { signal } = io;
      await withHub(io, options, async (hub) => {
        const list = await hub.ask({ $case: "listPrompts", value: {} }, "listPrompts", { signal });
        const prompts = list.prompts.map(({ _unknownFields, ...prompt }) => prompt);
        if (name === undefined) return report.result(prompts, (style) => render(prompts, style, report.columns));
        if (!prompts.some((prompt) => prompt.name === name)) throw notFound(name, prompts);
        const values = Object.fromEntries(parsePairs(options.arg ?? []).map(({ key, text }) => [key, text]));
        const filled = await hub.ask(
          { $case: "promptGet", value: { promptName: name, arguments: values } },
          "promptGet",
          { signal },
        );
        const messages = filled.messages.map(({ role, content }) => ({
          role,
          type: content?.type ?? "text",
          text: content?.text ?? "",
        }));
        report.result({ description: filled.description, messages }, (style) =>
          messages.map(({ role, text }) => `${style.bold(role)}: ${printable(text, { multiline: true })}`),
        );
      });
      return undefined;
    }),
  );
};

function render(prompts: readonly PromptDefinition[], style: Style, columns: number | undefined): readonly string[] {
  if (prompts.length === 0) return ["No plugin offers a prompt."];
  const rows = prompts.map((prompt) => {
    const args = prompt.arguments.map((one) => (one.required ? `${one.name}*` : one.name)).join(", ");
    return [style.bold(printable(prompt.name)), printable(args), printable(prompt.description.split("\n", 1)[0]!)];
  });
  return table(rows, { columns });
}

function notFound(name: string, prompts: readonly PromptDefinition[]): CliError {
  const meant = nearest(
    name,
    prompts.map((prompt) => prompt.name),
  );
  return new CliError(ExitCode.NotFound, `There is no prompt "${name}"`, {
    hint: meant === undefined ? "List them: orchestrator prompts" : `Did you mean ${meant}?`,
  });
}
