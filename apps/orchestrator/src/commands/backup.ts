import { statSync } from "node:fs";
import { resolve } from "node:path";
import { type AddCommand, usage } from "../cli.ts";
import { ExitCode } from "../exit-code.ts";
import { size, span } from "../output/text.ts";
import { addHubOption, type HubOptions, withHub } from "./with-hub.ts";

export const addBackup: AddCommand = (cli) => {
  const command = cli.command("backup", "Copy the database of the running hub: entries and events", {
    "orchestrator backup hub-backup.db": "",
  });
  command.argument("<file>", "the copy; it must not exist yet");
  addHubOption(command).action(
    cli.action<HubOptions>(async ({ io, report, options, args }) => {
      if (args[0] === "") throw usage("Name the file that the copy goes into");
      const file = resolve(io.cwd, args[0] as string);
      const started = performance.now();
      await withHub(io, options, (hub) =>
        hub.control({ $case: "backup", value: { file } }, "done", { signal: io.signal }),
      );
      const bytes = statSync(file).size;
      report.result(
        { file, bytes },
        (style) => `${style.bold(file)}, ${size(bytes)}, after ${span(performance.now() - started)}`,
      );
      return ExitCode.Ok;
    }),
  );
};
