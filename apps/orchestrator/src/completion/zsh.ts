import { quoted } from "./quoted.ts";
import type { CommandWords, Completion, OptionWords } from "./words.ts";

/** For a directory in `fpath`, or to be sourced after `compinit`. */
export function zsh(commands: readonly CommandWords[]): string {
  const describe = (name: string, text: string) =>
    quoted(`${name.replaceAll(":", "\\:")}:${text.replaceAll(":", "\\:")}`);
  const cases = commands.map(({ name, options, positionals }) => {
    const specs = [
      ...options.flatMap(optionSpecs),
      quoted("(-h --help)--help[show help]"),
      ...positionals.map((one, index) => quoted(`${index + 1}:${plain(one.name)}:${action(one.completion)}`)),
    ];
    return `    ${name}) _arguments ${specs.join(" ")} ;;`;
  });
  return `#compdef orchestrator
# zsh completion for orchestrator
_orchestrator_list() {
  local -a found
  found=(\${(f)"$(command orchestrator complete $1 2>/dev/null)"})
  compadd -a found
}
_orchestrator() {
  local -a commands
  commands=(${commands.map(({ name, description }) => describe(name, description)).join(" ")})
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

function optionSpecs({ short, long, description, value }: OptionWords): string[] {
  const flags = [short, long].filter((flag) => flag !== "");
  const text = plain(description).replaceAll("[", "(").replaceAll("]", ")");
  // `+` and `=`: the value may be a word of its own or stand right behind.
  const behind = (flag: string) => (value === undefined ? flag : flag.startsWith("--") ? `${flag}=` : `${flag}+`);
  const argument = value === undefined ? "" : `:value:${action(value)}`;
  return flags.map((flag) => quoted(`(${flags.join(" ")})${behind(flag)}[${text}]${argument}`));
}

/** Colons end a field. */
function plain(text: string): string {
  return text.replaceAll(":", " ");
}

function action(completion: Completion): string {
  switch (completion.is) {
    case "words":
      return `(${completion.words.join(" ")})`;
    case "list":
      // With the space, the function gets no words but these.
      return ` _orchestrator_list ${completion.list}`;
    case "file":
      return "_files";
    case "directory":
      return "_files -/";
    case "anything":
      return " ";
  }
}
