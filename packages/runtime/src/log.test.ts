import { expect, it } from "vitest";
import { createLog } from "./log.ts";

function written(act: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = [];
  act(createLog((line) => lines.push(line)));
  expect(lines).toHaveLength(1);
  return lines[0]!;
}

it("writes one line per message, with its fields as JSON", () => {
  expect(written((log) => log.info("Saved", { path: "a/b", bytes: 3 }))).toBe('info: Saved {"path":"a/b","bytes":3}\n');
});

it("keeps a message with line breaks on one line, so that it cannot fake READY", () => {
  expect(written((log) => log.warn("a\nREADY 1.2.3.4:5\r\n  b"))).toBe("warn: a | READY 1.2.3.4:5 | b\n");
});

it("shows errors with their stack, and survives values that JSON cannot hold", () => {
  expect(written((log) => log.error("Broken", { error: new TypeError("nope") }))).toContain("TypeError: nope");
  expect(written((log) => log.error("Big", { n: 10n }))).toBe('error: Big {"n":"10"}\n');
  const loop: Record<string, unknown> = {};
  loop["self"] = loop;
  expect(written((log) => log.debug("Loop", { loop }))).toContain("fields cannot be shown");
});

it("cuts a line that a host would choke on", () => {
  const line = written((log) => log.info("x".repeat(100_000)));
  expect(line.length).toBeLessThan(20_000);
  expect(line.endsWith("… (cut)\n")).toBe(true);
});
