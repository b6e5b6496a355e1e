/** `pnpm bench [FILTER] [--json FILE] [--rounds N] [--scale X] [--full]`: ours beside a peer, interleaved, medians and ratios. */
import { writeFileSync } from "node:fs";
import { Children } from "./children.ts";
import { describeMachine } from "./machine.ts";
import { parseOptions } from "./options.ts";
import type { ResultFile, SuiteResult } from "./result-file.ts";
import type { Suite } from "./suite.ts";
import { chaosSuite } from "./suites/chaos.ts";
import { codecSuite } from "./suites/codec.ts";
import { frameSuite } from "./suites/frame.ts";
import { hubSuite } from "./suites/hub.ts";
import { linkSuite } from "./suites/link.ts";
import { mcpSuite } from "./suites/mcp.ts";
import { peekSuite } from "./suites/peek.ts";
import { recoverSuite } from "./suites/recover.ts";
import { routeSuite } from "./suites/route.ts";
import { spliceSuite } from "./suites/splice.ts";
import { startSuite } from "./suites/start.ts";
import { storeSuite } from "./suites/store.ts";
import { structSuite } from "./suites/struct.ts";
import { unixJsonSuite } from "./suites/unix-json.ts";
import { formatTable } from "./table.ts";

const suites: readonly Suite[] = [
  frameSuite,
  peekSuite,
  spliceSuite,
  routeSuite,
  codecSuite,
  structSuite,
  storeSuite,
  linkSuite,
  hubSuite,
  unixJsonSuite,
  mcpSuite,
  startSuite,
  recoverSuite,
  chaosSuite,
];

const options = parseOptions(process.argv.slice(2), suites);
const children = new Children();
for (const [signal, code] of [["SIGINT", 130] as const, ["SIGTERM", 143] as const]) {
  process.once(signal, async () => {
    await children.stopAll();
    process.exit(code);
  });
}
const progress = (text: string) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};
const machine = describeMachine();
const results: SuiteResult[] = [];
const failures: { suite: string; error: string }[] = [];
for (const suite of options.suites) {
  // A suite that fails takes nothing from the others.
  try {
    progress(suite.name);
    // What is thrown in a callback fails the suite that runs, and not the run.
    const crash = Promise.withResolvers<never>();
    process.removeAllListeners("uncaughtException").on("uncaughtException", crash.reject);
    for (const result of await Promise.race([suite.run({ ...options, children, progress }), crash.promise])) {
      results.push({ suite: suite.name, ...result });
    }
  } catch (reason) {
    progress("");
    const error = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    console.error(`Suite ${suite.name} failed: ${error}`);
    failures.push({ suite: suite.name, error });
  } finally {
    await children.stopAll();
  }
}
progress("");
if (results.length > 0) console.log(formatTable(results));
if (options.json !== undefined) {
  const file: ResultFile = { results, failures, machine: { ...machine, loadAfter: describeMachine().loadBefore } };
  writeFileSync(options.json, `${JSON.stringify(file, null, 2)}\n`);
}
process.exit(failures.length > 0 ? 1 : 0);
