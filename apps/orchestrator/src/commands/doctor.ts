import { expandHome } from "@orchestrator/identity";
import type { AddCommand } from "../cli.ts";
import type { Check, Finding, Patient } from "../doctor/check.ts";
import { ExitCode } from "../exit-code.ts";
import { chosenWorkspace } from "../hub/workspace.ts";
import type { Style } from "../output/style.ts";
import { printable, table } from "../output/text.ts";

interface Options {
  readonly workspace?: string;
  readonly config?: string;
  readonly certsDir?: string;
}

export const addDoctor: AddCommand = (cli) => {
  cli
    .command("doctor", "Look for what could keep a hub from working, and say what to do", { "orchestrator doctor": "" })
    .option("-w, --workspace <dir>", "the workspace to look at (default: this directory)")
    .option("-c, --config <file>", "the configuration to check")
    .option("--certs-dir <dir>", "the certificates to check")
    .action(
      cli.action<Options>(async ({ io, report, options }) => {
        const patient: Patient = {
          env: io.env,
          cwd: io.cwd,
          workspace: chosenWorkspace(io, options.workspace),
          isExplicit: options.workspace !== undefined,
          config: options.config,
          certsDir: options.certsDir === undefined ? undefined : expandHome(options.certsDir),
        };
        const findings = await examine(patient);
        const count = (status: Finding["status"]) => findings.filter((finding) => finding.status === status).length;
        report.result({ findings, warnings: count("warn"), failures: count("fail") }, (style) =>
          render(findings, style),
        );
        return count("fail") > 0 ? ExitCode.Failure : ExitCode.Ok;
      }),
    );
};

async function examine(patient: Patient): Promise<readonly Finding[]> {
  const [machine, config, certificates, state, network] = await Promise.all([
    import("../doctor/machine.ts"),
    import("../doctor/config.ts"),
    import("../doctor/certificates.ts"),
    import("../doctor/state.ts"),
    import("../doctor/network.ts"),
  ]);
  const checks: Readonly<Record<string, Check>> = {
    runtime: machine.checkRuntime,
    QUIC: machine.checkQuic,
    workspace: machine.checkWorkspace,
    disk: machine.checkDisk,
    config: config.checkConfig,
    certificates: certificates.checkCertificates,
    state: state.checkState,
    database: state.checkDatabase,
    port: network.checkPort,
    hub: network.checkHub,
  };
  const findings = Object.entries(checks).map(async ([name, check]) => {
    try {
      return await check(patient);
    } catch (error) {
      // A check that cannot look has found something too.
      const hint = "This check itself failed; the others still count";
      return { name, status: "fail", detail: (error as Error).message, hint } as const;
    }
  });
  return (await Promise.all(findings)).flat();
}

function render(findings: readonly Finding[], style: Style): readonly string[] {
  const marks = { ok: style.green("ok  "), warn: style.yellow("warn"), fail: style.red("fail") };
  const lines = table(findings.map(({ name, status, detail }) => [marks[status], style.bold(name), printable(detail)]));
  return lines.flatMap((line, index) => {
    const { hint } = findings[index]!;
    return hint === undefined ? [line] : [line, `        ${style.cyan("→")} ${printable(hint)}`];
  });
}
