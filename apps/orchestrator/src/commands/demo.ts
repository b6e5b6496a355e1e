import type { AddCommand } from "../cli.ts";
import { ExitCode } from "../exit-code.ts";
import { programVersion } from "../program-path.ts";

interface Options {
  readonly keep?: boolean;
  readonly json?: boolean;
}

export const addDemo: AddCommand = (cli) => {
  cli
    .command("demo", "Show the main job from end to end, in a scratch workspace, and clean up", {
      "orchestrator demo": "",
    })
    .option("--keep", "leave the workspace for a look")
    .action(
      cli.action<Options>(async ({ io, report, options }) => {
        const [{ runDemo }, { renderDemo }] = await Promise.all([
          import("../demo/run-demo.ts"),
          import("../demo/render.ts"),
        ]);
        const { platform, arch, versions } = process;
        const deno = (versions as { deno?: string }).deno;
        const runtime = deno === undefined ? `Node ${versions.node}` : `Deno ${deno}`;
        const title = `orchestrator ${programVersion()} on ${runtime}, ${platform}-${arch}`;
        if (!options.json) report.print(report.style.bold(title));
        const live = io.stderr.isTTY && io.stdout.isTTY;
        const result = await runDemo(io, {
          keep: options.keep ?? false,
          // One line that each step overwrites; nothing where output is kept.
          onStep: (text) => void (live && io.stderr.write(`\r\x1b[K${report.errStyle.dim(`${text} …`)}`)),
        });
        if (live) io.stderr.write("\r\x1b[K");
        report.result({ runtime, ...result }, (style) => renderDemo(result, style));
        if (options.keep) report.note(`The workspace is ${result.workspace}`);
        return ExitCode.Ok;
      }),
    );
};
