import type { HubStatus } from "@orchestrator/protocol";
import type { AddCommand } from "../cli.ts";
import type { Style } from "../output/style.ts";
import { plural, printable, size, span, table } from "../output/text.ts";
import { addHubOption, type HubOptions, withHub } from "./with-hub.ts";

export const addStatus: AddCommand = (cli) => {
  const command = cli.command("status", "Show how the hub of a workspace does", { "orchestrator status": "" });
  addHubOption(command).action(
    cli.action<HubOptions>(async ({ io, report, options }) => {
      const status = await withHub(io, options, (hub) =>
        hub.control({ $case: "status", value: {} }, "status", { signal: io.signal }),
      );
      const { _unknownFields, ...value } = status;
      report.result(value, (style) => render(value, style));
      return undefined;
    }),
  );
};

function render(status: HubStatus, style: Style): readonly string[] {
  const failed = Object.entries(status.callsFailed);
  const failures = failed.map(([code, count]) => `${count} ${code}`).join(", ");
  const ready = `${status.pluginsReady} of ${status.pluginsTotal} ready`;
  const rows = [
    [
      "hub",
      `${style.green("running")}, process ${status.pid}, for ${span(Date.now() - status.startedAtMs)}, version ${status.version}`,
    ],
    ["workspace", status.workspace],
    ["address", status.address + (status.tcpAddress === "" ? "" : `, TCP ${status.tcpAddress}`)],
    ["plugins", status.pluginsReady === status.pluginsTotal ? ready : style.yellow(ready)],
    [
      "calls",
      `${status.callsTotal} so far, ${status.callsInFlight} under way, ${failed.length === 0 ? "none failed" : style.yellow(`failed: ${failures}`)}`,
    ],
    [
      "events",
      `${status.eventsDelivered} delivered, ${status.eventsDropped === 0 ? "none lost" : style.yellow(`${status.eventsDropped} lost`)}`,
    ],
    ["memory", size(status.rssBytes)],
  ];
  const problems = status.problems.map((problem) => `  ${style.yellow("!")} ${printable(problem)}`);
  const heading = problems.length === 0 ? [] : ["", style.bold(plural(problems.length, "problem"))];
  return [...table(rows.map(([name, text]) => [style.bold(name!), text!])), ...heading, ...problems];
}
