import type { Style } from "../output/style.ts";
import { cut, printable, span, width } from "../output/text.ts";
import { callTree } from "./call-tree.ts";
import type { DemoResult } from "./run-demo.ts";

/** The whole story in one screen of 24 lines by 100 columns, with room for what npm prints above it. */
const COLUMNS = 100;
/** What of the file is shown, in the order of the file: enough to see that it is a record that people can read. */
const FILE_LINE = /^(?:id|title|status|priority|# .*|- \*\*.*done.*):? /;
const FILE_LINES = 4;
const CALL_LINES = 5;

export function renderDemo(result: DemoResult, style: Style): readonly string[] {
  const done = style.green("✓");
  const time = (ms: number) => style.dim(span(ms));
  const plugins = result.plugins.map(({ id, pid, startMs }) => `${id} (process ${pid}, ${span(startMs)})`).join(", ");
  const tree = callTree(result.calls, "tool create_feature");
  const lines = [
    `${done} Hub ${result.status.address}, process ${result.status.pid}; first answer after ${span(result.startMs)}, certificates included`,
    `${done} Plugins ${plugins}`,
    `${done} MCP ${result.protocolVersion} over stdio, ${result.tools} tools`,
    ...result.created.map(({ what, ms }) => `${done} ${what} ${time(ms)}`),
    `${done} ${style.bold(result.featureId)} without evidence: ${style.yellow(`refused, "${printable(result.refusal).slice(0, 54)}…"`)}`,
    ...walk(result, style).map((line, index) => `${index === 0 ? done : " "} ${line}`),
    `${done} ${style.bold(result.file)} on disk, ${result.fileText.length} characters:`,
    ...excerpt(result.fileText).map((line) => `    ${style.cyan(printable(line))}`),
    `${done} Calls behind create_feature, as the hub saw them:`,
    ...tree.slice(0, CALL_LINES).map(({ call, depth }) => {
      const left = `    ${"  ".repeat(depth)}${call.caller} → ${call.callee}: ${call.name}`;
      return `${left.padEnd(74)} ${style.dim(span(call.durationUs / 1000).padStart(9))}`;
    }),
    `${done} Stopped in ${span(result.stopMs)}; none of ${result.processes.length} processes is left (${result.processes.join(", ")})`,
  ];
  return lines.map((line) => cut(line, COLUMNS));
}

function excerpt(text: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) => FILE_LINE.test(line))
    .slice(0, FILE_LINES);
}

/** The states in order with the milliseconds that each step took, on as many lines as they need. */
function walk({ states }: DemoResult, style: Style): readonly string[] {
  const lines: string[] = [];
  let line = `${style.dim("ms per step:")} ${style.bold("todo")}`;
  for (const { what, ms } of states) {
    const step = ` → ${style.bold(what)} ${style.dim(String(Math.max(1, Math.round(ms))))}`;
    if (width(line) + width(step) > COLUMNS - 4) {
      lines.push(line);
      line = "   ";
    }
    line += step;
  }
  return [...lines, line];
}
