import { createSocket } from "node:dgram";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openAuthority } from "@orchestrator/identity";
import { describe, expect, it } from "vitest";
import { Scratch } from "../../test/hub.ts";
import { run } from "../../test/run.ts";
import type { Finding } from "../doctor/check.ts";
import { stateFile } from "../hub/state-file.ts";

/** What the doctor finds in a directory; `pick` takes the findings of one name. */
async function examine(scratch: Scratch, ...args: string[]) {
  const { code, json } = await run(["doctor", "--json", ...args], { cwd: scratch.workspace, env: scratch.env });
  const findings: Finding[] = json().findings;
  return { code, pick: (name: string) => findings.filter((finding) => finding.name === name) };
}

const certs = (scratch: Scratch): string => join(scratch.path, ".certs");

describe("orchestrator doctor", () => {
  it("finds nothing wrong with a workspace that works, and changes nothing", async () => {
    await using scratch = new Scratch();
    const { code, pick } = await examine(scratch);
    expect(code).toBe(0);
    for (const name of ["runtime", "QUIC", "workspace", "disk", "config", "certificates", "state", "database", "hub"]) {
      expect(pick(name)).toMatchObject([{ status: "ok" }]);
    }
    expect(pick("certificates")[0]!.detail).toContain("the first start makes them");
  });

  it("finds a running hub, and one that was killed", async () => {
    await using scratch = new Scratch();
    const hub = await scratch.serve();
    expect((await examine(scratch)).pick("hub")).toMatchObject([
      { status: "ok", detail: expect.stringContaining("1 of 1 plugins ready") },
    ]);
    const file = stateFile(scratch.workspace);
    const state = readFileSync(file);
    hub.child.kill("SIGKILL");
    await hub.exited;
    if (process.platform !== "win32") await expect.poll(() => existsSync(file)).toBe(false);
    // As after a power cut, which spares nobody who could remove it.
    writeFileSync(file, state, { mode: 0o600 });
    expect((await examine(scratch)).pick("hub")).toMatchObject([
      { status: "warn", detail: expect.stringContaining(`process ${hub.child.pid}`) },
    ]);
  });

  describe("of what a hub keeps", () => {
    /** A workspace with a state directory of that name in it. */
    function keeping(stateDir = "state"): Scratch {
      const scratch = new Scratch();
      writeFileSync(join(scratch.workspace, "plugins.yaml"), JSON.stringify({ plugins: [], state_dir: stateDir }));
      return scratch;
    }

    it("finds it in order, also while the hub runs, and changes nothing", async () => {
      await using scratch = keeping();
      const state = join(scratch.workspace, "state");
      const fresh = await examine(scratch);
      expect(fresh.pick("state")).toMatchObject([
        { status: "ok", detail: expect.stringContaining("first start makes") },
      ]);
      expect(existsSync(state)).toBe(false);
      const hub = await scratch.serve();
      expect((await examine(scratch)).pick("database")).toMatchObject([
        { status: "ok", detail: expect.stringContaining("in use by this workspace's hub") },
      ]);
      hub.child.kill("SIGTERM");
      await hub.exited;
      const files = readdirSync(state);
      const { code, pick } = await examine(scratch);
      expect(code).toBe(0);
      expect(pick("state")).toMatchObject([{ status: "ok", detail: expect.stringMatching(/free for .*state$/) }]);
      expect(pick("database")).toMatchObject([
        { status: "ok", detail: expect.stringMatching(/orchestra\.db opens, /) },
      ]);
      expect(readdirSync(state)).toEqual(files);
    });

    it("finds that others can enter it", async () => {
      await using scratch = keeping();
      mkdirSync(join(scratch.workspace, "state"));
      chmodSync(join(scratch.workspace, "state"), 0o755);
      expect((await examine(scratch)).pick("state")).toMatchObject([
        { status: "warn", detail: expect.stringContaining("mode 0755"), hint: expect.stringContaining("chmod 700") },
      ]);
    });

    it("finds that it is none, cannot be made, or leads nowhere", async () => {
      await using file = keeping("plugins.yaml");
      expect((await examine(file)).pick("state")).toMatchObject([
        {
          status: "fail",
          detail: expect.stringContaining("is no directory"),
          hint: expect.stringContaining("state_dir"),
        },
      ]);
      await using below = keeping("plugins.yaml/state");
      expect((await examine(below)).pick("state")).toMatchObject([
        { status: "fail", detail: expect.stringContaining("cannot be made") },
      ]);
      await using link = keeping();
      symlinkSync("nowhere", join(link.workspace, "state"));
      const { code, pick } = await examine(link);
      expect(code).toBe(1);
      expect(pick("state")).toMatchObject([{ status: "fail", detail: expect.stringContaining("is a link to") }]);
    });

    it("finds a database that is damaged, and one that another hub has", async () => {
      await using scratch = keeping();
      const file = join(scratch.workspace, "state", "orchestra.db");
      mkdirSync(join(scratch.workspace, "state"), { mode: 0o700 });
      writeFileSync(file, "no database at all, and long enough to be taken for one".repeat(20));
      expect((await examine(scratch)).pick("database")).toMatchObject([
        { status: "fail", detail: expect.stringContaining("is damaged"), hint: expect.stringContaining("backup") },
      ]);
      rmSync(file);
      const hub = await scratch.serve();
      await using other = keeping(join(scratch.workspace, "state"));
      const { code, pick } = await examine(other);
      expect(code).toBe(1);
      expect(pick("database")).toMatchObject([
        {
          status: "fail",
          detail: expect.stringContaining(`is in use by process ${hub.child.pid}, which is not this workspace's hub`),
          hint: expect.stringContaining("a state_dir of its own"),
        },
      ]);
    });
  });

  it("names directories of plugins", async () => {
    await using scratch = new Scratch();
    const file = join(scratch.workspace, "plugins.yaml");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), plugin_dirs: ["./more"] }));
    const [finding] = (await examine(scratch)).pick("config");
    expect(finding).toMatchObject({ status: "ok" });
    expect(finding!.detail).toContain(`those in ${join(scratch.workspace, "more")}`);
  });

  it("finds that certificates cannot be made", async () => {
    await using scratch = new Scratch();
    // A file takes no directory, not even from the superuser.
    const directory = join(scratch.workspace, "plugins.yaml", "certs");
    const { code, pick } = await examine(scratch, "--certs-dir", directory);
    expect(code).toBe(1);
    expect(pick("certificates")).toMatchObject([
      { status: "fail", detail: expect.stringContaining(`${directory} cannot be made`) },
    ]);
  });

  it("finds what is wrong with the certificates", async () => {
    await using scratch = new Scratch();
    await openAuthority(certs(scratch));
    expect((await examine(scratch)).pick("certificates")).toMatchObject([
      { status: "ok", detail: expect.stringContaining("is valid until") },
    ]);
    chmodSync(join(certs(scratch), "ca.key"), 0o644);
    chmodSync(certs(scratch), 0o755);
    expect((await examine(scratch)).pick("certificates")).toMatchObject([
      { status: "warn", hint: expect.stringContaining("chmod 700") },
      { status: "ok" },
    ]);
    chmodSync(certs(scratch), 0o700);
    expect((await examine(scratch)).pick("certificates")).toMatchObject([
      { status: "fail", hint: expect.stringContaining("chmod 600") },
      { status: "ok" },
    ]);
    rmSync(join(certs(scratch), "ca.key"));
    const { code, pick } = await examine(scratch);
    expect([code, pick("certificates")]).toMatchObject([
      1,
      [{ status: "fail", detail: expect.stringContaining("ca.key is missing") }],
    ]);
  });

  it("finds an authority that has expired, and one that is about to", async () => {
    await using scratch = new Scratch();
    const day = 86_400_000;
    await openAuthority(certs(scratch), { now: () => Date.now() - 350 * day });
    expect((await examine(scratch)).pick("certificates")).toMatchObject([{ status: "warn" }]);
    rmSync(certs(scratch), { recursive: true });
    await openAuthority(certs(scratch), { now: () => Date.now() - 400 * day });
    expect((await examine(scratch)).pick("certificates")).toMatchObject([
      { status: "fail", detail: expect.stringContaining("expired") },
    ]);
  });

  it("finds mistakes in the configuration, with their lines, and programs that are not there", async () => {
    await using scratch = new Scratch();
    const file = join(scratch.workspace, "plugins.yaml");
    writeFileSync(file, "plugins:\n  - id: x\n    bianry: ./x\n");
    const broken = await examine(scratch);
    expect([broken.code, broken.pick("config")]).toMatchObject([
      1,
      expect.arrayContaining([expect.objectContaining({ detail: expect.stringMatching(/plugins\.yaml:3/) })]),
    ]);
    writeFileSync(file, "plugins:\n  - id: x\n    binary: ./missing\n");
    expect((await examine(scratch)).pick("config")).toMatchObject([
      { status: "fail", detail: expect.stringContaining("missing") },
    ]);
    expect((await examine(scratch, "--config", "nowhere.yaml")).pick("config")).toMatchObject([{ status: "fail" }]);
  });

  it("finds a port that somebody else has", async () => {
    await using scratch = new Scratch();
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    writeFileSync(join(scratch.workspace, "plugins.yaml"), `listen_addr: 127.0.0.1:${socket.address().port}\n`);
    expect((await examine(scratch)).pick("port")).toMatchObject([
      { status: "warn", hint: expect.stringContaining("localhost:0") },
    ]);
    socket.close();
  });

  it("shows people each finding with what to do", async () => {
    await using scratch = new Scratch();
    mkdirSync(certs(scratch), { mode: 0o700 });
    writeFileSync(join(certs(scratch), "ca.crt"), "x");
    const { stdout } = await run(["doctor"], { cwd: scratch.workspace, env: scratch.env });
    expect(stdout).toMatch(/ok +runtime +(Node|Deno) /);
    expect(stdout).toMatch(/fail +certificates +ca\.key is missing .*\n +→ Put the right ca\.crt and ca\.key back/);
  });
});
