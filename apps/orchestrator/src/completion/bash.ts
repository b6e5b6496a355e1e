import { quoted } from "./quoted.ts";
import type { CommandWords, Completion } from "./words.ts";

/** For `source <(orchestrator completion bash)`. It needs nothing but bash itself. */
export function bash(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name);
  const values = commands.flatMap(({ name, options }) =>
    options.map(({ short, long, value }) => {
      const flags = [long, short].filter((flag) => flag !== "").map((flag) => quoted(`${name} ${flag}`));
      return value === undefined ? "" : `    ${flags.join("|")}) ${action(value)}; return ;;`;
    }),
  );
  const positions = commands.flatMap(({ name, positionals }) =>
    positionals.map(({ completion }, index) => `    ${quoted(`${name} ${index + 1}`)}) ${action(completion)} ;;`),
  );
  const valued = commands.map(({ name, options }) => {
    const flags = options.filter(({ value }) => value !== undefined).flatMap(({ short, long }) => [short, long]);
    return `    ${name}) valued=${quoted(` ${flags.filter(Boolean).join(" ")} `)} ;;`;
  });
  const flags = commands.map(
    ({ name, options }) =>
      `    ${name}) words+=${quoted(` ${[...options.map(({ long }) => long), "--help"].join(" ")}`)} ;;`,
  );
  return `# bash completion for orchestrator
_orchestrator_list() {
  command orchestrator complete "$1" 2>/dev/null
}
_orchestrator() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words='' valued='' paths='' position=1 i
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W ${quoted([...names, "help", "--help", "--version"].join(" "))} -- "$current"))
    return
  fi
  local command="\${COMP_WORDS[1]}"
  # Of --option=value, bash makes three words.
  if [[ $current == '=' ]]; then
    current=''
  elif [[ $previous == '=' ]]; then
    previous="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  case "$command $previous" in
${values.filter(Boolean).join("\n")}
  esac
  case "$command" in
${valued.join("\n")}
  esac
  for ((i = 2; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      '=') ((i++)) ;;
      -*) if [[ $valued == *" \${COMP_WORDS[i]} "* && \${COMP_WORDS[i+1]} != '=' ]]; then ((i++)); fi ;;
      *) ((position++)) ;;
    esac
  done
  if [[ $current != -* ]]; then
    case "$command $position" in
${positions.join("\n")}
    'help 1') words=${quoted(names.join(" "))} ;;
    esac
  fi
  if [[ $current == -* || -z $current && -z $paths ]]; then
    case "$command" in
${flags.join("\n")}
    esac
  fi
  COMPREPLY+=($(compgen -W "$words" -- "$current"))
}
complete -F _orchestrator orchestrator
`;
}

/** Sets COMPREPLY, or `words` from which it is made in the end. */
function action(completion: Completion): string {
  const match = (text: string): string => `COMPREPLY=($(compgen -W ${text} -- "$current"))`;
  switch (completion.is) {
    case "words":
      return match(quoted(completion.words.join(" ")));
    case "list":
      return match(`"$(_orchestrator_list ${completion.list})"`);
    case "file":
    case "directory":
      // Names may hold spaces: they are for bash itself to complete.
      return `paths=yes; compopt -o ${completion.is === "file" ? "default" : "dirnames"} 2>/dev/null`;
    case "anything":
      return ":";
  }
}
