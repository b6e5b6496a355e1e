import type { CommandWords, Completion } from "./words.ts";

/** For `~/.config/fish/completions/orchestrator.fish`. */
export function fish(commands: readonly CommandWords[]): string {
  const names = commands.map(
    ({ name, description }) =>
      `complete -c orchestrator -f -n '__orchestrator_at 0' -a ${name} -d ${escaped(description)}`,
  );
  const lines = commands.flatMap(({ name, options, positionals }) => {
    const valued = options
      .filter(({ value }) => value !== undefined)
      .flatMap(({ short, long }) => [short, long])
      .filter(Boolean);
    const here = (position: string) =>
      `complete -c orchestrator -n ${escaped(["__orchestrator_at", position, name, ...valued].join(" "))}`;
    return [
      ...positionals.map(({ completion }, index) => `${here(String(index + 1))}${action(completion)}`),
      ...options.map(({ short, long, description, value }) => {
        const flags = `${short === "" ? "" : ` -s ${short.slice(1)}`} -l ${long.slice(2)}`;
        const argument = value === undefined ? " -f" : ` -r${action(value)}`;
        return `${here("any")}${flags}${argument} -d ${escaped(description)}`;
      }),
      `${here("any")} -f -s h -l help -d 'show help'`,
    ];
  });
  return `# fish completion for orchestrator
function __orchestrator_list
    command orchestrator complete $argv[1] 2>/dev/null
end

# Whether the word to complete is that argument (or "any") of that command; the options named behind take the word after them.
function __orchestrator_at
    set -l words (commandline -opc)
    if test $argv[1] = 0
        test (count $words) -eq 1
        return
    end
    test (count $words) -ge 2; and test $words[2] = $argv[2]; or return 1
    test $argv[1] = any; and return 0
    set -l position 1
    set -l skips no
    for word in $words[3..-1]
        if test $skips = yes
            set skips no
        else if contains -- $word $argv[3..-1]
            set skips yes
        else if not string match -q -- '-*' $word
            set position (math $position + 1)
        end
    end
    test $skips = no; and test $position = $argv[1]
end

complete -c orchestrator -f
${[...names, ...lines].join("\n")}
complete -c orchestrator -f -n '__orchestrator_at 1 help' -a ${escaped(commands.map(({ name }) => name).join(" "))}
`;
}

function escaped(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function action(completion: Completion): string {
  switch (completion.is) {
    case "words":
      return ` -f -a ${escaped(completion.words.join(" "))}`;
    case "list":
      return ` -f -a ${escaped(`(__orchestrator_list ${completion.list})`)}`;
    case "file":
      return " -F";
    case "directory":
      return " -f -a '(__fish_complete_directories (commandline -ct))'";
    case "anything":
      return " -f";
  }
}
