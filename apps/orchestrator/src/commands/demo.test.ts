import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { Scratch } from "../../test/hub.ts";
import { tempDirectory } from "../../test/run.ts";
import { width } from "../output/text.ts";

/** Where the demonstration has its workspace: another one may be played on this machine at the same time. */
function ownTemp(scratch: Scratch): string {
  scratch.env["TMPDIR"] = tempDirectory();
  return scratch.env["TMPDIR"];
}

it("plays the main job on one screen and leaves nothing behind", async () => {
  await using scratch = new Scratch();
  const temp = ownTemp(scratch);
  const demo = scratch.start("demo");
  expect([await demo.exited, demo.stderr]).toEqual([0, ""]);
  const lines = demo.stdout.trimEnd().split("\n");
  // npm puts four lines above them, and a screen has 24.
  expect(lines.length).toBeLessThanOrEqual(20);
  expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(100);
  expect(lines[0]).toMatch(/^orchestrator 0\.1\.0 on (Node|Deno) \d+/);
  const states = [...demo.stdout.matchAll(/→ ([a-z-]+) \d+/g)].map((match) => match[1]);
  const round = ["in-progress", "in-testing", "in-docs", "in-review"];
  expect(states).toEqual([...round, "needs-edits", ...round, "done"]);
  expect(demo.stdout).toMatch(/FEAT-\w+ without evidence: refused/);
  expect(demo.stdout).toMatch(/\.projects\/demo-shop\/features\/FEAT-\w+\.md on disk/);
  expect(demo.stdout).toContain("status: done");
  expect(demo.stdout).toMatch(/transport\.stdio → tools\.features: tool create_feature +[\d.]+ m?s/);
  expect(demo.stdout).toMatch(/ {6}tools\.features → storage\.markdown: storage_write markdown +[\d.]+ m?s/);
  expect(demo.stdout).toMatch(/none of 4 processes is left/);
  expect(readdirSync(temp)).toEqual([]);
  // Nothing in the user's home either.
  expect(readdirSync(scratch.path)).toEqual(["plugins.yaml"]);
});

it("cleans up when it is interrupted half way", async () => {
  await using scratch = new Scratch();
  const temp = ownTemp(scratch);
  const demo = scratch.start("demo");
  await demo.until(() => demo.stdout.includes("orchestrator"), "its first line");
  while (readdirSync(temp).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  demo.child.kill("SIGINT");
  expect(await demo.exited).toBe(130);
  expect(readdirSync(temp)).toEqual([]);
  expect(scratch.left()).toEqual([]);
});
