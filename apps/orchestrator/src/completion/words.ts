import type { PluginEventType } from "@orchestrator/supervisor";
import type { Argument, Command, Option } from "commander";

/** What only the hub knows, or the configuration where none runs; `orchestrator complete LIST` prints it. */
export const LISTS = ["plugins", "tools", "prompts"] as const;
export type List = (typeof LISTS)[number];

/** What a word may be: one of a few, one of a list, a path, or anything, for which there is no help. */
export type Completion =
  | { readonly is: "words"; readonly words: readonly string[] }
  | { readonly is: "list"; readonly list: List }
  | { readonly is: "file" | "directory" | "anything" };

export interface OptionWords {
  /** `-n`; "" where it has none. */
  readonly short: string;
  readonly long: string;
  readonly description: string;
  /** Of the word that follows; undefined where none has to. */
  readonly value: Completion | undefined;
}

export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  readonly positionals: readonly { readonly name: string; readonly completion: Completion }[];
}

/** What the hub tells of plugins. */
export const EVENT_TYPES: Readonly<Record<PluginEventType, true>> = {
  started: true,
  ready: true,
  crashed: true,
  backoff: true,
  failed: true,
  stopped: true,
  disabled: true,
  enabled: true,
  unhealthy: true,
  healthy: true,
  upgraded: true,
  rolled_back: true,
  reset: true,
  circuit_opened: true,
  circuit_closed: true,
};
const ANYTHING: Completion = { is: "anything" };
const PLUGINS: Completion = { is: "list", list: "plugins" };
const words = (...list: string[]): Completion => ({ is: "words", words: list });

/** By what an argument or an option's value is called, and for options by their own names first. */
const BY_NAME: Readonly<Record<string, Completion>> = {
  plugin: PLUGINS,
  namespace: PLUGINS,
  source: PLUGINS,
  tool: { is: "list", list: "tools" },
  prompt: { is: "list", list: "prompts" },
  type: words(...Object.keys(EVENT_TYPES)),
  method: words("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
  level: words("debug", "info", "warn", "error"),
  directory: { is: "directory" },
  dir: { is: "directory" },
  file: { is: "file" },
};

/** The commands that people may type, and what goes with each. */
export function wordsOf(program: Command): readonly CommandWords[] {
  const visible = new Set(program.createHelp().visibleCommands(program));
  return program.commands
    .filter((command) => visible.has(command))
    .map((command) => ({
      name: command.name(),
      description: command.description(),
      options: command.options.filter((option) => !option.hidden).map(optionWords),
      positionals: command.registeredArguments.map((argument) => ({
        name: argument.name(),
        completion: completionOf(argument, argument.name()),
      })),
    }));
}

function optionWords(option: Option): OptionWords {
  const [, placeholder = ""] = /<([^>]+)>$/.exec(option.flags) ?? [];
  return {
    short: option.short ?? "",
    long: option.long ?? "",
    description: option.description,
    value: option.required ? completionOf(option, option.attributeName(), placeholder) : undefined,
  };
}

function completionOf({ argChoices }: Argument | Option, ...names: string[]): Completion {
  if (argChoices !== undefined) return words(...argChoices);
  return names.map((name) => BY_NAME[name]).find((found) => found !== undefined) ?? ANYTHING;
}
