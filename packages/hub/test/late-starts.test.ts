import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Site, service } from "./supervision.ts";

const program = join(import.meta.dirname, "fixtures", "service.ts");

/** A directory, and in it a program that runs these lines of shell before it becomes an honest plugin. */
function scripted(lines: string): { path: string; binary: string; file: (name: string) => string } {
  const path = mkdtempSync(join(tmpdir(), "orchestrator-late-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const binary = join(path, "program.sh");
  writeFileSync(binary, `#!/bin/sh\ncd ${path}\n${lines}\nexec ${process.execPath} ${program} "$@"\n`);
  chmodSync(binary, 0o755);
  return { path, binary, file: (name) => join(path, name) };
}

/** Starts once the file `go` is there. */
const WAITS = `case "$*" in *--manifest*) ;; *) while [ ! -e go ]; do sleep 0.01; done ;; esac`;
const disable = (plugin: string) => ({ $case: "enable", value: { plugin, enabled: false } }) as const;

describe("a start that had to wait", () => {
  /** A call of `a` waits until `base`, which it depends on, has started. */
  async function waiting() {
    const { path, binary, file } = scripted(WAITS);
    writeFileSync(file("go"), "");
    const base = service("base", { binary, activation: "lazy" });
    const a = service("a", { activation: "lazy", depends_on: ["base"] });
    const site = await Site.open({ directory: path, plugins: [base, a] });
    rmSync(file("go"));
    const starts = site.supervised("a").starts;
    const call = site.call("a_who").catch((error: Error) => error);
    await site.supervised("base").reached("starting");
    return { site, call, starts, go: () => writeFileSync(file("go"), "") };
  }

  it("does not happen when the plugin was switched off meanwhile", async () => {
    const { site, call, starts, go } = await waiting();
    await using _ = site;
    const entry = site.entry("a");
    await site.control(disable("a"));
    go();
    expect(await call).toMatchObject({ success: false, error: { code: 8 } });
    expect([entry.supervised.starts, entry.supervised.state.name, entry.inFlight.calls]).toEqual([
      starts,
      "stopped",
      0,
    ]);
  });

  it("does not happen when the hub has stopped meanwhile", async () => {
    const { site, call, starts } = await waiting();
    await using _ = site;
    const entry = site.entry("a");
    await site.test.hub.stop();
    await call;
    expect([entry.supervised.starts, entry.supervised.pid, entry.inFlight.calls]).toEqual([starts, 0, 0]);
  });

  it("does not happen when the plugin was switched off while it was asked who it is", async () => {
    // What it says first is no use, so it is asked again; then it takes its time.
    const once = "[ $(wc -l < asked) = 1 ] && exec head -c 2000000 /dev/zero";
    const asks = `case "$*" in *--manifest*) echo asked >> asked; ${once}; while [ ! -e go ]; do sleep 0.01; done ;; esac`;
    const { path, binary, file } = scripted(asks);
    await using site = await Site.open({ directory: path });
    site.reconfigure([service("a", { binary, activation: "lazy" })]);
    const reloaded = site.control({ $case: "reload", value: {} });
    const asked = () => (existsSync(file("asked")) ? readFileSync(file("asked"), "utf8").split("\n").length - 1 : 0);
    await expect.poll(asked, { interval: 5 }).toBe(2);
    await site.control(disable("a"));
    writeFileSync(file("go"), "");
    await reloaded;
    expect([site.supervised("a").starts, site.supervised("a").state.name]).toEqual([0, "stopped"]);
  });

  it("is refused while the hub stops, whatever it was asked for by", async () => {
    await using site = await Site.open({ plugins: [service("a"), service("b")] });
    const { supervised } = site.entry("a");
    const stopping = site.test.hub.stop();
    const asked = (["reset", "restart", "upgrade"] as const).map(($case) =>
      site.control({ $case, value: { plugin: "a" } }).catch((error: Error) => error),
    );
    await stopping;
    for (const answer of await Promise.all(asked)) expect(answer).toBeInstanceOf(Error);
    expect([supervised.starts, supervised.pid, supervised.state.name]).toEqual([1, 0, "stopped"]);
  });
});
