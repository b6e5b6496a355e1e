import { createSocket } from "node:dgram";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openAuthority } from "@orchestrator/identity";
import { describe, expect, it } from "vitest";
import { Scratch } from "../../test/hub.ts";
import { run } from "../../test/run.ts";
import type { Finding } from "../doctor/check.ts";

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
    for (const name of ["runtime", "QUIC", "workspace", "disk", "config", "certificates", "hub"]) {
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
    hub.child.kill("SIGKILL");
    await hub.exited;
    expect((await examine(scratch)).pick("hub")).toMatchObject([
      { status: "warn", detail: expect.stringContaining(`process ${hub.child.pid}`) },
    ]);
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
