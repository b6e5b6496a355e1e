import { Argument } from "commander";
import type { AddCommand } from "../cli.ts";
import { completionScript, SHELLS, type Shell } from "../completion/scripts.ts";

export const addCompletion: AddCommand = (cli) => {
  cli
    .command("completion", "Print a completion script for a shell", {
      "source <(orchestrator completion bash)": "this bash session",
      "orchestrator completion zsh > ~/.zfunc/_orchestrator": "zsh, with ~/.zfunc in fpath",
      "orchestrator completion fish > ~/.config/fish/completions/orchestrator.fish": "fish",
    })
    .addArgument(new Argument("<shell>", "the shell").choices([...SHELLS]))
    .action(
      cli.action(({ report, args }) => {
        const shell = args[0] as Shell;
        const script = completionScript(shell, cli.program);
        report.result({ shell, script }, () => script.trimEnd());
        return undefined;
      }),
    );
};
