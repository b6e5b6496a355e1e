import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { isAlive } from "../src/testing/index.ts";
import { Site, service } from "./supervision.ts";

const enable = (plugin: string, enabled = true) => ({ $case: "enable", value: { plugin, enabled } }) as const;

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "orchestrator-switch-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe("enable and disable", () => {
  it("start and stop the process, and what it offers comes and goes; it is listed all the time", async () => {
    await using site = await Site.open({ plugins: [service("a"), service("b", { enabled: false })] });
    expect(await site.status("b")).toMatchObject({ enabled: false, state: "registered", pid: 0 });
    expect((await site.call("b_who")).error?.code).toBe(2);

    await site.control(enable("b"));
    expect(await site.status("b")).toMatchObject({ enabled: true, state: "ready" });
    expect((await site.call("b_who")).success).toBe(true);
    expect(await site.tools()).toContain("b_who");

    const { pid } = site.supervised("b");
    await site.control(enable("b", false));
    expect(await site.status("b")).toMatchObject({ enabled: false, state: "stopped", pid: 0 });
    expect((await site.status("b")).reason).toBe("disabled by the operator");
    expect(() => process.kill(pid, 0)).toThrow();
    expect((await site.call("b_who")).error).toMatchObject({
      code: 2,
      message: expect.stringContaining("No plugin provides"),
    });
    expect(await site.tools()).not.toContain("b_who");
    for (const $case of ["restart", "upgrade", "reset"] as const) {
      await expect(site.control({ $case, value: { plugin: "b" } })).rejects.toThrow("orchestrator plugins enable b");
    }
    expect((await site.call("a_who")).success).toBe(true);
  });

  it("do no harm to one that runs when another one that is enabled says that it is the same", async () => {
    const twin = service("b", { enabled: false, env: { FIXTURE_ID: "a" } });
    await using site = await Site.open({ plugins: [twin, service("a")] });
    await site.control(enable("b"));
    expect((await site.status("b")).reason).toContain('"a" and "b" both say that they are "a"');
    const { pid } = site.supervised("a");
    process.kill(pid, "SIGKILL");
    await site.supervised("a").reached("backoff");
    await site.supervised("a").reached("ready", "failed");
    expect(await site.status("a")).toMatchObject({ state: "ready" });
    expect((await site.call("a_who")).success).toBe(true);
    // Once the place is free it is the other one's.
    await site.control(enable("a", false));
    await site.control(enable("b"));
    expect((await site.call("b_who")).success).toBe(true);
  });

  it("are remembered by the next hub", async () => {
    const path = directory();
    {
      await using site = await Site.open({
        directory: path,
        plugins: [service("a"), service("b", { enabled: false })],
      });
      await site.control(enable("a", false));
      await site.control(enable("b"));
    }
    await using site = await Site.open({ directory: path, plugins: [service("a"), service("b", { enabled: false })] });
    expect(await site.status("a")).toMatchObject({ enabled: false, state: "registered" });
    expect(await site.status("b")).toMatchObject({ enabled: true, state: "ready" });
    await site.control(enable("a"));
    expect((await site.call("a_who")).success).toBe(true);
  });

  it("that cannot be remembered are told: a plugin is not started then, but stopped it is", async () => {
    const plugins = [service("a"), service("b", { enabled: false })];
    await using site = await Site.open({ plugins });
    // Nothing can be put in its place.
    mkdirSync(join(site.test.directory, "state", "plugins-state.json", "in-the-way"), { recursive: true });
    await expect(site.control(enable("b"))).rejects.toThrow('Cannot remember the switch of plugin "b"');
    expect(await site.status("b")).toMatchObject({ enabled: false, pid: 0 });
    const { pid } = site.supervised("a");
    await expect(site.control(enable("a", false))).rejects.toThrow("It is stopped now, and will run again");
    expect(await site.status("a")).toMatchObject({ enabled: false, state: "stopped" });
    expect(isAlive(pid)).toBe(false);
  });

  it("of two hubs that share a state directory do not undo each other", async () => {
    const state = join(directory(), "state");
    const of = (id: string) => ({ plugins: [service(id)], config: { state_dir: state } });
    {
      await using one = await Site.open(of("a"));
      await using other = await Site.open(of("b"));
      await one.control(enable("a", false));
      await other.control(enable("b", false));
    }
    await using one = await Site.open(of("a"));
    expect(await one.status("a")).toMatchObject({ enabled: false });
    await using other = await Site.open(of("b"));
    expect(await other.status("b")).toMatchObject({ enabled: false });
  });

  it("go by the config where the file is broken, which is told and kept", async () => {
    const path = directory();
    const file = join(path, "state", "plugins-state.json");
    mkdirSync(join(path, "state"));
    writeFileSync(file, '{"version": 1, "plugins": {"a": {"enabled": fal');
    await using site = await Site.open({ directory: path, plugins: [service("a")] });
    expect((await site.status("a")).state).toBe("ready");
    expect(site.log("hub").join("\n")).toMatch(/plugins-state\.json cannot be used: .*It is kept as .*\.broken/);
    expect(readFileSync(`${file}.broken`, "utf8")).toContain("fal");
    await site.control(enable("a", false));
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ version: 1, plugins: { a: { enabled: false } } });
  });

  it("asked for at the same time end in what was asked for last", async () => {
    await using site = await Site.open({ plugins: [service("a")] });
    await Promise.all([
      site.control(enable("a", false)),
      site.control(enable("a")),
      site.control(enable("a", false)),
      site.control(enable("a")),
    ]);
    expect(await site.status("a")).toMatchObject({ enabled: true, state: "ready" });
    expect((await site.call("a_who")).success).toBe(true);
  });
});

describe("a plugin that crashes", () => {
  it("comes back after growing delays, is given up, told of, and reset", async () => {
    const told: unknown[] = [];
    const server = createServer((incoming, answer) => {
      let body = "";
      incoming.on("data", (chunk) => {
        body += chunk;
      });
      incoming.on("end", () => {
        told.push(JSON.parse(body));
        answer.writeHead(204).end();
      });
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const path = directory();
    const note = join(path, "note.json");
    await using site = await Site.open({
      directory: path,
      plugins: [service("a", { max_crashes: 3 })],
      restart: { delaysMs: [10, 20, 40] },
      store: true,
      config: {
        notify: {
          timeout_ms: 60_000,
          command: ["/bin/sh", "-c", `cat > '${note}.part' && mv '${note}.part' '${note}'`],
          webhook: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
        },
      },
    });
    const { supervised } = site.entry("a");
    for (let crash = 1; crash <= 3; crash += 1) {
      const { pid } = supervised;
      process.kill(pid, "SIGKILL");
      await expect.poll(() => supervised.state.name === "ready" && ![0, pid].includes(supervised.pid)).toBe(true);
      expect((await site.status("a")).crashes).toBe(crash);
    }
    process.kill(supervised.pid, "SIGKILL");
    await supervised.reached("failed");
    const failed = await site.status("a");
    expect(failed).toMatchObject({ state: "failed", enabled: true });
    expect(failed.reason).toContain("was ended by SIGKILL");
    expect((await site.call("a_who")).error).toMatchObject({ code: 8 });

    const event = { plugin: "a", type: "failed", details: { crashes: 4 } };
    await expect.poll(() => told).toMatchObject([event]);
    await expect.poll(() => JSON.parse(readOr(note, "{}"))).toMatchObject(event);

    await site.control({ $case: "reset", value: { plugin: "a" } });
    expect(await site.status("a")).toMatchObject({ state: "ready", crashes: 0 });
    expect((await site.call("a_who")).success).toBe(true);

    const kept = async () => {
      const value = { plugin: "a", sinceMs: 0, limit: 0, follow: false, type: "" };
      const result = await site.control({ $case: "events", value });
      return result?.$case === "events" ? result.value.events : [];
    };
    const round = ["crashed", "backoff", "started", "ready"];
    // They are on disk a little later.
    await expect
      .poll(async () => (await kept()).map(({ type }) => type))
      .toEqual(["started", "ready", ...round, ...round, ...round, "crashed", "failed", "reset", "started", "ready"]);
    const waits = (await kept()).filter(({ type }) => type === "backoff");
    expect(waits.map(({ details }) => details?.["delayMs"])).toEqual([10, 20, 40]);
  });

  it("does not hold up the hub with a notification that hangs or fails; that is told", async () => {
    await using site = await Site.open({
      plugins: [service("a", { restart: "never" })],
      config: { notify: { command: ["/bin/sleep", "1000"], webhook: "http://127.0.0.1:1/", timeout_ms: 200 } },
    });
    process.kill(site.supervised("a").pid, "SIGKILL");
    await site.supervised("a").reached("failed");
    const log = () => site.log("hub").join("\n");
    await expect
      .poll(log)
      .toContain('The command "/bin/sleep" could not be told of a plugin that was given up: it took longer');
    await expect.poll(log).toContain("The webhook http://127.0.0.1:1 could not be told");
  });
});

describe.runIf(process.platform === "linux")("a notification command", () => {
  async function notifying(script: string, timeoutMs: number) {
    const site = await Site.open({
      plugins: [service("a", { restart: "never" })],
      config: { notify: { command: ["/bin/sh", "-c", script], timeout_ms: timeoutMs } },
    });
    process.kill(site.supervised("a").pid, "SIGKILL");
    await site.supervised("a").reached("failed");
    return site;
  }

  it("that forks and hangs is ended after its time, with all that it started", async () => {
    let started: number[] = [];
    // On a machine that stands still its time may be over before it has started all of them.
    for (let timeoutMs = 300; started.length < 3; timeoutMs *= 8) {
      const pids = join(directory(), "pids");
      const hangs = "sleep 1000 & echo $! >> $0; setsid sleep 1000 & echo $! >> $0; echo $$ >> $0; wait";
      await using site = await notifying(hangs.replaceAll("$0", `'${pids}'`), timeoutMs);
      await expect.poll(() => site.log("hub").join("\n")).toContain(`it took longer than ${timeoutMs} ms`);
      started = readOr(pids, "").split("\n").slice(0, -1).map(Number);
      await expect.poll(() => started.filter(isAlive)).toEqual([]);
    }
  });

  it("may say as much as it likes: of its last words a few stand in the log", async () => {
    await using site = await notifying("seq 300000; seq 300000 >&2; echo 'no möney' >&2; exit 3", 60_000);
    const line = () => site.log("hub").find((text) => text.includes("could not be told")) ?? "";
    await expect.poll(line).toContain("it exited with code 3; it said: ");
    expect(line().endsWith("no möney")).toBe(true);
    expect(line().length).toBeLessThan(700);
  });
});

describe("dependents", () => {
  it("that wish so are started anew after what they depend on; others are left alone", async () => {
    await using site = await Site.open({
      plugins: [
        service("base"),
        service("near", { depends_on: ["base"], restart_with_dependencies: true }),
        service("far", {
          depends_on: ["base"],
          env: { LISTENS: "orchestrator.plugins" },
          needs_events: ["orchestrator.plugins"],
        }),
      ],
    });
    const before = ["near", "far"].map((id) => site.supervised(id).pid);
    process.kill(site.supervised("base").pid, "SIGKILL");
    await expect.poll(() => [0, before[0]].includes(site.supervised("near").pid)).toBe(false);
    await site.supervised("near").reached("ready");
    expect(site.supervised("far").pid).toBe(before[1]);
    const heard = () =>
      site
        .log("far")
        .filter((line) => line.startsWith('event orchestrator.plugins {"plugin":"base"'))
        .join("\n");
    await expect.poll(heard).toMatch(/was ended by SIGKILL.*"state":"backoff".*"state":"ready"/s);
    await expect.poll(() => site.log("near").join("\n")).toContain('"base", which it depends on, was started anew');
  });
});

describe("reload", () => {
  it("starts what is new, stops what is gone, restarts what changed, and leaves the others alone", async () => {
    const path = directory();
    await using site = await Site.open({ directory: path, plugins: [service("a"), service("b"), service("c")] });
    const kept = site.supervised("a").pid;
    const changed = site.supervised("b").pid;
    const gone = site.supervised("c").pid;
    site.reconfigure([service("d"), service("a"), service("b", { call_timeout_ms: 5 })]);
    await site.control({ $case: "reload", value: {} });
    expect(site.test.hub.plugins.map(({ id }) => id)).toEqual(["d", "a", "b"]);
    expect(site.supervised("a").pid).toBe(kept);
    expect(site.supervised("b").pid).not.toBe(changed);
    expect(() => process.kill(gone, 0)).toThrow();
    expect((await site.call("d_who")).success).toBe(true);
    expect((await site.call("c_who")).error?.code).toBe(2);
    expect((await site.call("b_slow", { ms: 60_000 })).errorCode).toBe("deadline_exceeded");
  });

  it("changes nothing when the config has a mistake", async () => {
    await using site = await Site.open({ plugins: [service("a")] });
    const { pid } = site.supervised("a");
    site.reconfigure([service("a"), service("a")]);
    await expect(site.control({ $case: "reload", value: {} })).rejects.toThrow('Two plugins have the id "a"');
    expect(site.supervised("a").pid).toBe(pid);
  });
});

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return otherwise;
  }
}
