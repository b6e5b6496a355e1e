import type { AddCommand } from "../cli.ts";
import { programPath, programVersion } from "../program-path.ts";

export const addVersion: AddCommand = (cli) => {
  cli.command("version", "Print the version of the program and of what it runs on").action(
    cli.action(({ report }) => {
      const { platform, arch, versions, execPath } = process;
      const deno = (versions as { deno?: string }).deno;
      const runtime = deno === undefined ? `node ${versions.node}` : `deno ${deno}`;
      const version = programVersion();
      report.result(
        { version, runtime, platform, arch, runtimePath: execPath, program: programPath() },
        () => `orchestrator ${version} (${runtime}, ${platform}-${arch})`,
      );
      return undefined;
    }),
  );
};
