import type { Style } from "../output/style.ts";
import { cut, printable, span } from "../output/text.ts";
import { callTree } from "./call-tree.ts";
import type { DemoResult } from "./run-demo.ts";

/** The whole story in one screen of 24 lines by 100 columns, with room for what npm prints above it. */
const COLUMNS = 100;
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
    ...result.fileText
      .split("\n")
      .slice(0, FILE_LINES)
      .map((line) => `    ${style.cyan(printable(line))}`),
    `${done} Calls behind create_feature, as the hub saw them:`,
    ...tree.slice(0, CALL_LINES).map(({ call, depth }) => {
      const left = `    ${"  ".repeat(depth)}${call.caller} → ${call.callee}: ${call.name}`;
      return `${left.padEnd(74)} ${style.dim(span(call.durationUs / 1000).padStart(9))}`;
    }),
    `${done} Stopped in ${span(result.stopMs)}; none of ${result.processes.length} processes is left (${result.processes.join(", ")})`,
  ];
  return lines.map((line) => cut(line, COLUMNS));
}

/** The states in order with the time that each step took, on as many lines as they need. */
function walk({ states }: DemoResult, style: Style): readonly string[] {
  const lines: string[] = [];
  let line = style.bold("todo");
  let length = 4;
  for (const { what, ms } of states) {
    const time = span(ms);
    const width = what.length + time.length + 4;
    if (length + width > COLUMNS - 6) {
      lines.push(line);
      [line, length] = ["   ", 3];
    }
    line += ` → ${style.bold(what)} ${style.dim(time)}`;
    length += width;
  }
  return [...lines, line];
}
