import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Scratch } from "../../test/hub.ts";
import { run, tempDirectory } from "../../test/run.ts";
import { programCommand } from "../program-path.ts";

const fixture = (name: string): string => join(import.meta.dirname, "../../test/fixtures", name);
const isRequired = process.env["ORCHESTRATOR_REQUIRE"] === "all";

function isHere(shell: string): boolean {
  try {
    execFileSync(shell, ["-c", "exit"], { stdio: "ignore" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** A line as it is typed, and all that may follow. */
const OFFERS: Readonly<Record<string, readonly string[]>> = {
  "orchestrator st": ["status", "stop"],
  "orchestrator serve --id": ["--idle-exit"],
  "orchestrator serve --log-level ": ["debug", "error", "info", "warn"],
  "orchestrator help sto": ["stop"],
  "orchestrator completion f": ["fish"],
  "orchestrator plugins re": ["reload", "reset", "restart"],
  "orchestrator plugins restart tools.": ["tools.one", "tools.two"],
  "orchestrator plugins -w . disable tools.t": ["tools.two"],
  "orchestrator logs tools.o": ["tools.one"],
  "orchestrator kv s": ["set"],
  "orchestrator kv list --namespace ": ["tools.one", "tools.two"],
  "orchestrator kv list -n tools.t": ["tools.two"],
  "orchestrator events --plugin=tools.o": ["tools.one"],
  "orchestrator events -t re": ["ready", "reset"],
  "orchestrator events --fo": ["--follow"],
  "orchestrator import t": ["toru"],
  "orchestrator http P": ["PATCH", "POST", "PUT"],
};

describe.each([
  ["bash", ["--norc"]],
  ["zsh", ["-f"]],
  ["fish", ["--no-config"]],
])("the script for %s", (shell, flags) => {
  it("loads, and completes commands, options and the values of both", { timeout: 120_000 }, async (context) => {
    if (!isRequired && !isHere(shell)) context.skip(`${shell} is absent`);
    const cwd = tempDirectory();
    writeFileSync(
      join(cwd, "plugins.yaml"),
      "plugins: [{id: tools.one, command: [cat]}, {id: tools.two, command: [cat]}]",
    );
    mkdirSync(join(cwd, "here"));
    const bin = tempDirectory();
    writeFileSync(join(bin, "script"), (await run(["completion", shell])).stdout);
    writeFileSync(join(bin, "orchestrator"), `#!/bin/sh\nexec ${programCommand([]).join(" ")} "$@"\n`);
    chmodSync(join(bin, "orchestrator"), 0o755);
    const lines = [...Object.keys(OFFERS), "orchestrator import toru ", "orchestrator kv get "];
    const printed = execFileSync(shell, [...flags, fixture(`complete.${shell}`), join(bin, "script"), ...lines], {
      cwd,
      encoding: "utf8",
      env: { PATH: `${bin}:${process.env["PATH"]}`, HOME: bin, TERM: "xterm" },
    });
    const offers = Object.fromEntries(
      printed
        .split(/^== /m)
        .slice(1)
        .map((part) => {
          const [line = "", ...words] = part.split("\n").filter(Boolean);
          return [line, [...new Set(words)].map((word) => word.replace(/^--plugin=/, "")).sort()];
        }),
    );
    const { "orchestrator import toru ": directories, "orchestrator kv get ": keys, ...others } = offers;
    expect(others).toEqual(OFFERS);
    // Bash itself looks for the directories.
    expect(directories).toEqual([{ bash: "(dirnames)", zsh: "here", fish: "here/" }[shell]]);
    // A key can be anything, and is no file.
    expect(keys!.filter((word) => !word.startsWith("-"))).toEqual([]);
  });
});

describe("orchestrator complete", () => {
  it("prints what the hub knows, and nothing but names; without a hub what the configuration says", async () => {
    await using scratch = new Scratch();
    const complete = async (list: string) => {
      const { code, stdout, stderr } = await run(["complete", list], { cwd: scratch.workspace, env: scratch.env });
      expect([code, stderr]).toEqual([0, ""]);
      return stdout.split("\n").filter(Boolean);
    };
    expect(await complete("plugins")).toEqual(["tools.echo"]);
    expect(await complete("tools")).toEqual([]);
    await scratch.serve();
    // Whoever completes a word waits 2 s for the hub and no longer, which a busy machine may need.
    const completed = (list: string) => expect.poll(() => complete(list));
    await completed("tools").toContain("echo");
    await completed("prompts").toEqual(["greet"]);
    writeFileSync(join(scratch.workspace, "plugins.yaml"), "plugins: {");
    await completed("plugins").toEqual(["tools.echo"]);
  });

  it("is not shown", async () => {
    expect((await run(["--help"])).stdout).not.toMatch(/^ +complete /m);
  });
});
