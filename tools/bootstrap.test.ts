import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fingerprint } from "./install.mjs";

/** A repository of its own with the real bootstrap, a pinned "node" that is this one, and an npx that only writes down what it is asked. */
let root: string;
const write = (file: string, text: string) => {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
};
const read = (file: string) => readFileSync(join(root, file), "utf8");
const stamp = () => write("node_modules/.orchestrator-stamp", fingerprint(root));

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "orchestrator-bootstrap-"));
  for (const name of ["bootstrap.mjs", "install.mjs", "lock.mjs"]) {
    mkdirSync(join(root, "tools"), { recursive: true });
    cpSync(join(import.meta.dirname, name), join(root, "tools", name));
  }
  write("package.json", '{ "name": "scratch", "type": "module", "dependencies": {} }');
  write("pnpm-workspace.yaml", 'packages:\n  # every library\n  - "packages/*"\n\ncatalog:\n  "node": 26.0.0\n');
  write("pnpm-lock.yaml", "lockfileVersion: 9\n");
  write("packages/one/package.json", '{ "name": "one" }');
  mkdirSync(join(root, "node_modules", "node", "bin"), { recursive: true });
  symlinkSync(process.execPath, join(root, "node_modules", "node", "bin", "node"));
  write(
    "apps/orchestrator/src/main.ts",
    `const what = process.argv[2];
     if (what === "exit") process.exit(7);
     if (what === "die") process.kill(process.pid, "SIGKILL");
     if (what === "wait") {
       for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => { console.log(signal); process.exit(9); });
       setInterval(() => {}, 1000);
     }
     console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() }));`,
  );
  write("bin/npx", '#!/bin/sh\necho "$@" >> npx.log\necho noise\nsleep 0.3\nexit $NPX_EXIT\n');
  chmodSync(join(root, "bin", "npx"), 0o755);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  args: readonly string[],
  env: Record<string, string> = {},
  cwd = root,
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [join(root, "tools", "bootstrap.mjs"), ...args], {
    cwd,
    env: { PATH: `${join(root, "bin")}:/usr/bin:/bin`, HOME: root, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, stdout, stderr }) as Ended);
  return { child, ended };
}
const run = (...args: Parameters<typeof start>) => start(...args).ended;

describe("set-up", () => {
  it("does nothing, and says nothing, where everything is in step", async () => {
    stamp();
    const { code, stdout, stderr } = await run(["orchestrator", "a b", "$HOME"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({ args: ["a b", "$HOME"], cwd: root });
    expect(existsSync(join(root, "npx.log"))).toBe(false);
  });

  it("installs with the lock file frozen where nothing was set up, and keeps stdout for the command", async () => {
    const { code, stdout, stderr } = await run(["orchestrator", "x"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).args).toEqual(["x"]);
    expect(stderr).toContain("noise");
    expect(read("npx.log")).toMatch(/^--yes pnpm@[0-9.]+ install --frozen-lockfile .*--config\.nodeVersion=26\.0\.0$/m);
    expect((await run(["orchestrator", "x"])).stderr).toBe("");
  });

  it.each([
    ["the lock file", () => write("pnpm-lock.yaml", "lockfileVersion: 10\n")],
    [
      "a dependency of a package",
      () => write("packages/one/package.json", '{ "name": "one", "dependencies": { "x": "1" } }'),
    ],
    ["a new package", () => write("packages/two/package.json", '{ "name": "two" }')],
    ["an install that did not finish", () => rmSync(join(root, "node_modules", ".orchestrator-stamp"))],
  ])("installs again after a change of %s", async (_what, change) => {
    stamp();
    change();
    expect((await run(["orchestrator"])).code).toBe(0);
    expect(read("npx.log").split("\n")).toHaveLength(2);
  });

  it("a change of a script alone needs no install", async () => {
    stamp();
    write("packages/one/package.json", '{ "name": "one", "scripts": { "test": "vitest" } }');
    await run(["orchestrator"]);
    expect(existsSync(join(root, "npx.log"))).toBe(false);
  });

  it("two at once install once", async () => {
    const both = await Promise.all([run(["orchestrator", "1"]), run(["orchestrator", "2"])]);
    expect(both.map((one) => one.code)).toEqual([0, 0]);
    expect(read("npx.log").trim().split("\n")).toHaveLength(1);
  });

  it("takes over the lock of a process that is gone", async () => {
    write(".tools/install.lock", "999999999\n");
    expect((await run(["orchestrator"])).code).toBe(0);
    expect(existsSync(join(root, ".tools", "install.lock"))).toBe(false);
  });

  it("a failed install ends with 1, leaves no lock and no half-made node, and is tried again", async () => {
    write("node_modules/.bin/node", "half");
    const { code, stdout, stderr } = await run(["orchestrator"], { NPX_EXIT: "3" });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("it ended with code 3");
    expect(existsSync(join(root, "node_modules/.bin/node"))).toBe(false);
    expect(existsSync(join(root, ".tools", "install.lock"))).toBe(false);
    expect((await run(["orchestrator"])).code).toBe(0);
  });
});

describe("the command", () => {
  beforeEach(stamp);

  it("passes the exit code on", async () => {
    expect((await run(["orchestrator", "exit"])).code).toBe(7);
  });

  it("ends by the signal that ended the program", async () => {
    expect((await run(["orchestrator", "die"])).signal).toBe("SIGKILL");
  });

  it.each(["SIGTERM", "SIGINT"] as const)("passes %s on, and waits for the program's own end", async (signal) => {
    const { child, ended } = start(["orchestrator", "wait"]);
    await once(child.stdout!, "data");
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 9, stdout: expect.stringContaining(signal) });
  });

  it("stops the program when npm's shell, its parent, is gone", async () => {
    const bootstrap = join(root, "tools", "bootstrap.mjs");
    const shell = spawn("/bin/sh", ["-c", `"${process.execPath}" "${bootstrap}" orchestrator wait; true`], {
      cwd: root,
      env: { PATH: "/usr/bin:/bin", npm_lifecycle_event: "orchestrator" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let stdout = "";
    shell.stdout.on("data", (chunk) => (stdout += chunk));
    await once(shell.stdout, "data");
    shell.kill("SIGKILL");
    // The pipe ends when the last process that holds it is gone.
    await once(shell.stdout, "end");
    expect(stdout).toContain("SIGTERM");
  });

  it("runs where the user stood when npm changed the directory", async () => {
    const here = join(root, "packages");
    const { stdout } = await run(["orchestrator"], { npm_lifecycle_event: "orchestrator", INIT_CWD: here });
    expect(JSON.parse(stdout).cwd).toBe(here);
  });

  it("start is the demonstration", async () => {
    expect(JSON.parse((await run(["start", "--fast"])).stdout).args).toEqual(["demo", "--fast"]);
  });

  it("an unknown command ends with 1 and the usage", async () => {
    expect(await run(["strat"])).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("Usage:") });
  });
});
