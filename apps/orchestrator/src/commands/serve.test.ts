import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { GUARDIAN_VARIABLE } from "@orchestrator/supervisor";
import { findMarked, readRecords } from "@orchestrator/supervisor/internal";
import { describe, expect, it } from "vitest";
import { Scratch } from "../../test/hub.ts";
import { run } from "../../test/run.ts";
import { ensureHubDirectory, stateFile } from "../hub/state-file.ts";
import { programCommand } from "../program-path.ts";

const client = (scratch: Scratch, ...args: string[]) => run(args, { cwd: scratch.workspace, env: scratch.env });

function guardianOf(token: string): number {
  const environ = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
    } catch {
      return [];
    }
  };
  return Number(readdirSync("/proc").find((pid) => environ(pid).includes(`${GUARDIAN_VARIABLE}=${token}`)));
}

/** Until `condition`, for what another process does. */
async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe("orchestrator serve", () => {
  it("can be found while it runs, refuses a second one, and leaves nothing", async () => {
    await using scratch = new Scratch();
    const hub = await scratch.serve();
    const state = JSON.parse(readFileSync(stateFile(scratch.workspace), "utf8"));
    expect(state).toMatchObject({ pid: hub.child.pid, address: JSON.parse(hub.stdout).address, version: "0.1.0" });
    expect(statSync(stateFile(scratch.workspace)).mode & 0o777).toBe(0o600);
    // Whoever finds it has what to come with, so that many who come at once do not wait for each other.
    expect(existsSync(join(state.certsDir, "orchestrator-operator.crt"))).toBe(true);
    expect(readFileSync(join(scratch.workspace, ".orchestrator", ".gitignore"), "utf8")).toBe("*\n");

    const second = scratch.start("serve", "--listen-addr", "localhost:0");
    expect(await second.exited).toBe(1);
    expect(second.stderr).toMatch(new RegExp(`already: process ${hub.child.pid} at .*\nhint: Stop it`));

    expect((await client(scratch, "stop")).stdout).toBe(`Stopped (process ${hub.child.pid}).\n`);
    expect(await hub.exited).toBe(0);
    expect(existsSync(stateFile(scratch.workspace))).toBe(false);
    expect(scratch.left()).toEqual([]);
    expect(await client(scratch, "status")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("hint: Start one"),
    });
  });

  it("ends in order when two signals come at once, as from a terminal and a wrapper", async () => {
    await using scratch = new Scratch();
    const hub = await scratch.serve();
    hub.child.kill("SIGINT");
    hub.child.kill("SIGTERM");
    expect(await hub.exited).toBe(0);
    expect(scratch.left()).toEqual([]);
  });

  it.each(["SIGTERM", "SIGINT"] as const)("ends in order on %s", async (signal) => {
    await using scratch = new Scratch();
    const hub = await scratch.serve();
    hub.child.kill(signal);
    expect(await hub.exited).toBe(0);
    expect(hub.stderr).toContain(`stopping: ${signal} came`);
    expect(scratch.left()).toEqual([]);
  });

  it("is replaced after it was killed: the plugins end, the stale file is recognised", async () => {
    await using scratch = new Scratch();
    const killed = await scratch.serve();
    const file = stateFile(scratch.workspace);
    const state = readFileSync(file);
    killed.child.kill("SIGKILL");
    await killed.exited;
    if (process.platform !== "win32") await eventually(() => !existsSync(file));
    // As after a power cut, which spares nobody who could remove it.
    writeFileSync(file, state, { mode: 0o600 });
    expect(await client(scratch, "status")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`process ${killed.child.pid}, is gone`),
    });
    const next = await scratch.serve();
    expect(scratch.hubPid()).toBe(next.child.pid);
    expect((await client(scratch, "call", "count")).stdout).toBe("one two thrée");
    next.child.kill("SIGTERM");
    expect(await next.exited).toBe(0);
    await eventually(() => scratch.left().length === 0);
  });

  it.runIf(process.platform === "linux")("cleans up after one that was killed together with its guardian", async () => {
    await using scratch = new Scratch({ "tools.forks": "forking-plugin.ts" });
    const stateDir = join(scratch.path, "state");
    scratch.env["ORCHESTRATOR_STATE_DIR"] = stateDir;
    const killed = await scratch.serve();
    const mark = readRecords(stateDir).records[0]!;
    const left = () => findMarked(mark, { environ: true });
    // It would be replaced at once.
    killed.child.kill("SIGSTOP");
    process.kill(guardianOf(mark.token), "SIGKILL");
    killed.child.kill("SIGKILL");
    await killed.exited;
    expect((await left()).length).toBeGreaterThan(0);
    const next = await scratch.serve();
    const cleaned = /Cleaned up after a hub that did not end in order: \d+ (of its )?processes/;
    await next.until(() => cleaned.test(next.stderr), "what it says of the old hub");
    expect(await left()).toEqual([]);
    expect(readRecords(stateDir).records.map(({ token }) => token)).not.toContain(mark.token);
    next.child.kill("SIGTERM");
    expect(await next.exited).toBe(0);
  });

  it("says that the port is taken before any plugin starts", async () => {
    await using scratch = new Scratch();
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const hub = scratch.start("serve", "--listen-addr", `127.0.0.1:${socket.address().port}`);
    expect(await hub.exited).toBe(1);
    socket.close();
    expect(hub.stderr).toMatch(/error: .*in use|error: .*taken/);
    expect(hub.stderr).toContain("hint: Stop what listens on");
    expect(hub.stderr).not.toContain("tools.echo");
    expect(existsSync(stateFile(scratch.workspace))).toBe(false);
  });

  it("says that it cannot listen there, which is a failure and not a missing hub", async () => {
    await using scratch = new Scratch();
    const hub = scratch.start("serve", "--listen-addr", "192.0.2.1:50100");
    expect(await hub.exited).toBe(1);
    expect(hub.stderr).toContain("error: Cannot listen on 192.0.2.1:50100");
  });

  it.runIf(process.platform === "linux")("says that the workspace cannot be written, without a stack", async () => {
    expect(() => ensureHubDirectory("/proc/self")).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/^Cannot write to workspace "\/proc\/self" \(E[A-Z]+\)$/),
        hint: expect.stringContaining("--workspace"),
      }),
    );
  });

  it("serves with the plugins that start, and shows why one did not", async () => {
    await using scratch = new Scratch({ "tools.echo": "echo-plugin.ts", "tools.dead": "dies-at-start.ts" });
    await scratch.serve();
    const { code, stdout } = await client(scratch, "plugins");
    expect(code).toBe(0);
    expect(stdout).toMatch(/tools\.echo +ready/);
    expect(stdout).toMatch(/tools\.dead +failed/);
    expect(stdout).toContain("cannot find the database");
    expect((await client(scratch, "status")).stdout).toMatch(/1 of 2 ready[\s\S]*1 problem/);
    expect((await client(scratch, "call", "count")).code).toBe(0);
  });

  it("refuses a wrong configuration with every error, and tells of unknown keys", async () => {
    await using scratch = new Scratch();
    writeFileSync(join(scratch.workspace, "plugins.yaml"), "listen_adr: x\nplugins:\n  - id: a b\n    binary: ./x\n");
    const hub = scratch.start("serve");
    expect(await hub.exited).toBe(1);
    expect(hub.stderr).toMatch(/plugins\.yaml:3:9/);
    expect((await client(scratch, "serve", "--strict-config")).stderr).toContain("listen_addr");
  });

  it("takes the workspace that a named configuration names", async () => {
    await using scratch = new Scratch();
    const [there, file] = [join(scratch.path, "there"), join(scratch.path, "hub.yaml")];
    mkdirSync(there);
    writeFileSync(file, JSON.stringify({ workspace: "./there" }));
    const hub = await scratch.serve("--config", file);
    expect(JSON.parse(hub.stdout)).toMatchObject({ workspace: there, pluginsTotal: 0 });
    expect(existsSync(stateFile(there))).toBe(true);
  });

  it("is told of by a followed log, which then ends", async () => {
    await using scratch = new Scratch();
    const hub = await scratch.serve();
    const follower = scratch.start("logs", "-f");
    await follower.until(() => follower.stdout.includes("listening on"), "the past lines");
    hub.child.kill("SIGTERM");
    expect(await follower.exited).toBe(0);
    expect(follower.stderr).toBe("The hub has stopped\n");
    expect(follower.stdout).toContain("stopping: SIGTERM came");
    const after = await client(scratch, "logs");
    expect(after).toMatchObject({ code: 3, stderr: expect.stringContaining("No hub runs") });
  });

  it("cannot be pretended by a file that others may write, or through a link", async () => {
    await using scratch = new Scratch();
    const hub = await scratch.serve();
    chmodSync(stateFile(scratch.workspace), 0o622);
    expect(await client(scratch, "status")).toMatchObject({ code: 3 });
    hub.child.kill("SIGTERM");
    await hub.exited;
    rmSync(join(scratch.workspace, ".orchestrator"), { recursive: true });
    mkdirSync(join(scratch.path, "elsewhere"));
    symlinkSync("elsewhere", join(scratch.workspace, ".orchestrator"));
    expect(await client(scratch, "serve")).toMatchObject({ code: 1, stderr: expect.stringContaining("it is a link") });
    expect(readdirSync(join(scratch.path, "elsewhere"))).toEqual([]);
  });

  it("has its socket in a short place where the workspace's path is long", async () => {
    await using scratch = new Scratch();
    const long = join(scratch.path, "x".repeat(60), "y".repeat(60));
    mkdirSync(long, { recursive: true });
    await scratch.serve("--workspace", long);
    const { socket } = JSON.parse(readFileSync(stateFile(long), "utf8"));
    expect(socket.length).toBeLessThan(105);
    expect(await client(scratch, "status", "-w", long)).toMatchObject({ code: 0 });
    await client(scratch, "stop", "-w", long);
    expect(existsSync(socket.slice("unix:".length))).toBe(false);
  });

  it("goes on when the reader of its log is gone, and ends in order when its terminal is", async () => {
    await using scratch = new Scratch();
    const hub = await scratch.serve();
    hub.child.stdout!.destroy();
    hub.child.stderr!.destroy();
    for (let n = 0; n < 2; n += 1) expect(await client(scratch, "restart", "tools.echo")).toMatchObject({ code: 0 });
    expect((await client(scratch, "call", "count")).stdout).toBe("one two thrée");
    hub.child.kill("SIGHUP");
    expect(await hub.exited).toBe(0);
    expect(existsSync(stateFile(scratch.workspace))).toBe(false);
    expect(scratch.left()).toEqual([]);
  });

  it.runIf(existsSync("/dev/full"))("goes on when the disk of its log is full", async () => {
    await using scratch = new Scratch();
    const [program, ...args] = programCommand(["serve", "--listen-addr", "localhost:0"]);
    const stdio = ["ignore", "ignore", openSync("/dev/full", "w")] as const;
    const hub = spawn(program, args, { cwd: scratch.workspace, env: scratch.env, stdio: [...stdio] });
    closeSync(stdio[2]);
    const exited = once(hub, "exit");
    await eventually(() => scratch.hubPid() !== undefined || hub.exitCode !== null);
    expect(await client(scratch, "restart", "tools.echo")).toMatchObject({ code: 0 });
    expect((await client(scratch, "call", "count")).stdout).toBe("one two thrée");
    hub.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
  });

  it("ends by itself when nobody is there", async () => {
    await using scratch = new Scratch();
    const hub = await scratch.serve("--idle-exit", "300ms");
    expect(await hub.exited).toBe(0);
    expect(hub.stderr).toContain("stopping: no client for 0.3 s");
    expect(scratch.left()).toEqual([]);
  });

  it("refuses a workspace that is none, and a wrong command line, with 2", async () => {
    await using scratch = new Scratch();
    expect((await client(scratch, "serve", "--workspace", "missing")).code).toBe(2);
    expect((await client(scratch, "serve", "--idle-exit", "never")).code).toBe(2);
    const odd = await client(scratch, "serve", "--listen-addr", "nonsense", "--log-level", "loud");
    expect(odd.code).toBe(2);
    expect(odd.stderr).toMatch(/^error: .*--listen-addr.*"nonsense"\n.*--log-level.*"loud"/);
    expect((await client(scratch, "serve", "--port", "1")).stderr).toContain("unknown option '--port'");
    mkdirSync(join(scratch.workspace, "x"));
    expect(await client(scratch, "status", "-w", "x")).toMatchObject({ code: 3 });
  });
});
