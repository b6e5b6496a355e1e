import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findMarked, type HubMark, readRecords } from "@orchestrator/supervisor/internal";
import { describe, expect, it, onTestFinished } from "vitest";
import { operatorPeer, request, type StartTestHubOptions, startTestHub, type TestHub } from "../src/testing/index.ts";
import { fixture } from "./plugins.ts";

async function start(options: StartTestHubOptions): Promise<TestHub & { mark: HubMark }> {
  const directory = mkdtempSync(join(tmpdir(), "orchestrator-test-"));
  const hub = await startTestHub({ shutdownMs: 300, termMs: 300, directory, ...options });
  onTestFinished(async () => {
    await hub.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const [mark] = readRecords(join(directory, "state")).records;
  return { ...hub, mark: mark! };
}

/** A program that is asked what it is and leaves a process behind that has a session and an environment of its own. */
const stray = (then: string) => ["sh", "-c", `env -i PATH="$PATH" setsid sleep 1000 & ${then}`];

describe.runIf(process.platform === "linux")("the processes of plugins", () => {
  it("are shown with what they use", async () => {
    const hub = await start({ plugins: [fixture("tools.a", { TOOLS: "echo" })] });
    const answer = await request(await operatorPeer(hub), {
      $case: "control",
      value: { command: { $case: "plugins", value: {} } },
    });
    const result = answer.response?.$case === "control" ? answer.response.value.result : undefined;
    const use = result?.$case === "plugins" ? result.value.plugins[0]?.use : undefined;
    expect(use).toMatchObject({ processes: 1 });
    // What Node needs at the least, and no more than this plugin can have taken.
    expect(use!.rssBytes).toBeGreaterThan(20e6);
    expect(use!.cpuMs).toBeGreaterThan(0);
    expect(use!.threads).toBeGreaterThan(1);
    expect(use!.descriptors).toBeGreaterThan(3);
  });

  it("end with the hub, those of programs that were only asked what they are among them", async () => {
    const plugins = [
      fixture("tools.a", { TOOLS: "echo" }),
      { id: "tools.asked", command: stray("exit 0"), restart: "never" },
      { id: "tools.hangs", command: stray("sleep 1000"), restart: "never", start_timeout_ms: 400 },
    ];
    const hub = await start({ plugins });
    const left = () => findMarked(hub.mark, { environ: true });
    expect((await left()).length).toBeGreaterThan(0);
    await hub.stop();
    expect(await left()).toEqual([]);
    expect(readRecords(join(hub.directory, "state")).records).toEqual([]);
  });
});
