import type { Command, Option } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Option[];
  /** Fixed values of the first positional argument. */
  readonly choices: readonly string[];
}

/** A script that completes command names, their options and fixed values, and files elsewhere. Made from the commands themselves. */
export function completionScript(shell: Shell, program: Command): string {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: command.options.filter((option) => !option.hidden),
    choices: command.registeredArguments[0]?.argChoices ?? [],
  }));
  return { bash, zsh, fish }[shell](commands);
}

function flags(command: CommandWords): string[] {
  return [...command.options.map((option) => option.long ?? option.short ?? ""), "--help"];
}

/** Single quotes keep everything but a single quote. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function bash(commands: readonly CommandWords[]): string {
  const cases = commands.map(
    (command) => `    ${command.name}) words=${quoted([...flags(command), ...command.choices].join(" "))} ;;`,
  );
  return `# bash completion for orchestrator
_orchestrator() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=''
  if [[ $COMP_CWORD -eq 1 ]]; then
    words=${quoted([...commands.map((command) => command.name), "help", "--help", "--version"].join(" "))}
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    help) words=${quoted(commands.map((command) => command.name).join(" "))} ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _orchestrator orchestrator
`;
}

function zsh(commands: readonly CommandWords[]): string {
  const describe = (name: string, text: string) =>
    quoted(`${name.replaceAll(":", "\\:")}:${text.replaceAll(":", "\\:")}`);
  const cases = commands.map((command) => {
    const specs = command.options.map((option) => {
      const text = option.description.replaceAll("[", "(").replaceAll("]", ")").replaceAll(":", " ");
      const value = option.required || option.optional ? ":value:_files" : "";
      return quoted(`${option.long ?? option.short}[${text}]${value}`);
    });
    const rest =
      command.choices.length > 0 ? quoted(`1:value:(${command.choices.join(" ")})`) : quoted("*:file:_files");
    return `    ${command.name}) _arguments ${[...specs, rest].join(" ")} ;;`;
  });
  return `#compdef orchestrator
# zsh completion for orchestrator
_orchestrator() {
  local -a commands
  commands=(${commands.map((command) => describe(command.name, command.description)).join(" ")})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join("\n")}
    help) _describe command commands ;;
  esac
}
if [[ $funcstack[1] == _orchestrator ]]; then _orchestrator "$@"; else compdef _orchestrator orchestrator; fi
`;
}

function fish(commands: readonly CommandWords[]): string {
  const escaped = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap((command) => {
    const here = `-n ${escaped(`__fish_seen_subcommand_from ${command.name}`)}`;
    const choices =
      command.choices.length === 0
        ? []
        : [`complete -c orchestrator ${here} -f -a ${escaped(command.choices.join(" "))}`];
    const options = command.options.map((option) => {
      const short = option.short === undefined ? "" : ` -s ${option.short.slice(1)}`;
      const value = option.required ? " -r" : "";
      return `complete -c orchestrator ${here}${short} -l ${(option.long ?? "").slice(2)}${value} -d ${escaped(option.description)}`;
    });
    return [...choices, ...options];
  });
  const names = commands.map(
    (command) =>
      `complete -c orchestrator -n __fish_use_subcommand -f -a ${command.name} -d ${escaped(command.description)}`,
  );
  return `# fish completion for orchestrator\n${[...names, ...lines].join("\n")}\n`;
}
