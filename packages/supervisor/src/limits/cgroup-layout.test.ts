import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tempDirectory } from "../../test/small-hub.ts";
import { type CgroupLayout, detectCgroups } from "./cgroup-layout.ts";
import { HubCgroups } from "./hub-cgroups.ts";

/** Directories of control groups, each with the files that are named: `"path": "file=content …"`. */
function makeTree(directories: Readonly<Record<string, readonly string[]>>): string {
  const root = tempDirectory();
  for (const [path, files] of Object.entries(directories)) {
    mkdirSync(join(root, path), { recursive: true });
    for (const file of ["cgroup.procs=", ...files]) {
      const [name = "", content = ""] = file.split("=");
      writeFileSync(join(root, path, name), `${content}\n`);
    }
  }
  return root;
}

const mount = (type: string, point: string, options: string, root = "/") =>
  `30 25 0:26 ${root} ${point} rw,nosuid shared:4 - ${type} ${type} rw,${options}`;

/** Without the prefix, so that it can be read. */
function relative(layout: CgroupLayout, prefix: string): unknown {
  return JSON.parse(JSON.stringify(layout).replaceAll(prefix, ""));
}

const v1 = (...mounts: string[]) => mounts.map((name) => mount("cgroup", `/sys/fs/cgroup/${name}`, name)).join("\n");

describe("detectCgroups", () => {
  it("version 2, as systemd delegates it", () => {
    const own = "/user.slice/user-1000.slice/user@1000.service/app.slice/hub.scope";
    const prefix = makeTree({ [`/sys/fs/cgroup${own}`]: ["cgroup.controllers=cpu memory pids"] });
    const layout = detectCgroups({
      prefix,
      mountinfo: mount("cgroup2", "/sys/fs/cgroup", "nsdelegate"),
      cgroup: `0::${own}\n`,
    });
    const place = { version: 2, directory: `/sys/fs/cgroup${own}` };
    expect(relative(layout, prefix)).toEqual({
      kind: "v2",
      kill: place,
      limits: { memory: place, cpu: place, processes: place },
    });
  });

  it("version 2 with only some of the controllers", () => {
    const prefix = makeTree({ "/sys/fs/cgroup/x": ["cgroup.controllers=memory pids"] });
    const { kind, limits } = detectCgroups({
      prefix,
      mountinfo: mount("cgroup2", "/sys/fs/cgroup", "nsdelegate"),
      cgroup: "0::/x\n",
    });
    expect(kind).toBe("v2");
    expect(limits.memory).toMatchObject({ version: 2 });
    expect(limits.cpu).toBe(`"${prefix}/sys/fs/cgroup/x" was given no controller "cpu"`);
  });

  it("version 1, each controller with a hierarchy and a group of its own, two of them mounted together", () => {
    const prefix = makeTree({
      "/sys/fs/cgroup/memory/docker/abc": [],
      "/sys/fs/cgroup/cpu,cpuacct/docker/abc": [],
      "/sys/fs/cgroup/pids/docker/abc": [],
    });
    const mountinfo = [
      v1("memory", "pids"),
      mount("cgroup", "/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct"),
      mount("cgroup", "/sys/fs/cgroup/systemd", "xattr,name=systemd"),
    ].join("\n");
    const cgroup = "9:name=systemd:/docker/abc\n5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n3:pids:/docker/abc\n";
    const layout = detectCgroups({ prefix, mountinfo, cgroup });
    const place = (name: string) => ({ version: 1, directory: `/sys/fs/cgroup/${name}/docker/abc` });
    expect(relative(layout, prefix)).toEqual({
      kind: "v1",
      limits: { memory: place("memory"), cpu: place("cpu,cpuacct"), processes: place("pids") },
    });
  });

  it("hybrid: limits by version 1, containment by version 2 beside it", () => {
    const prefix = makeTree({
      "/sys/fs/cgroup/memory": [],
      "/sys/fs/cgroup/unified/system.slice": ["cgroup.controllers="],
    });
    const layout = detectCgroups({
      prefix,
      mountinfo: `${v1("memory")}\n${mount("cgroup2", "/sys/fs/cgroup/unified", "nsdelegate")}`,
      cgroup: "4:memory:/\n0::/system.slice\n",
    });
    const directory = "/sys/fs/cgroup/unified/system.slice";
    expect(relative(layout, prefix)).toEqual({
      kind: "hybrid",
      kill: { version: 2, directory },
      limits: {
        memory: { version: 1, directory: "/sys/fs/cgroup/memory" },
        cpu: `"${directory}" was given no controller "cpu"`,
        processes: `"${directory}" was given no controller "pids"`,
      },
    });
  });

  it("a container that sees the whole path but has only its own part mounted, at a point with a space in its name", () => {
    const prefix = makeTree({ "/cgroup dir/sub": ["cgroup.controllers=memory"] });
    const { limits } = detectCgroups({
      prefix,
      mountinfo: mount("cgroup2", "/cgroup\\040dir", "x", "/docker/abc"),
      cgroup: "0::/docker/abc/sub\n",
    });
    expect(limits.memory).toEqual({ version: 2, directory: `${prefix}/cgroup dir/sub` });
  });

  it("says why there are no limits where nothing is mounted, or not this process's part", () => {
    const nothing = detectCgroups({ prefix: tempDirectory(), mountinfo: "", cgroup: "" });
    expect(nothing).toMatchObject({ kind: "none", kill: undefined });
    expect(nothing.limits.memory).toBe("no control groups are mounted");
    const elsewhere = detectCgroups({ prefix: tempDirectory(), mountinfo: v1("memory"), cgroup: "4:memory:/x\n" });
    expect(elsewhere.kind).toBe("none");
    expect(elsewhere.limits.memory).toMatch(/is not mounted here/);
  });

  it("takes garbage for nothing", () => {
    expect(detectCgroups({ prefix: "/nowhere", mountinfo: "a - b\n - \n\n", cgroup: "x\n1:2\n:::\n" }).kind).toBe(
      "none",
    );
  });
});

describe("HubCgroups", () => {
  it("tells an operator once that limits do not hold, and no longer when they do", () => {
    const why = "control groups are not mounted";
    const none: CgroupLayout = { kind: "none", kill: undefined, limits: { memory: why, cpu: why, processes: why } };
    const cgroups = new HubCgroups("0".repeat(32), none);
    const problems = new Map([["memory", why] as const, ["cpu", why] as const]);
    const text = cgroups.warn("tools.x", problems);
    expect(text).toMatch(
      /^Plugin "tools\.x" runs without its limit of memory and cpu: control groups are not mounted\. /,
    );
    expect(cgroups.warn("tools.x", problems)).toBeUndefined();
    expect(cgroups.warnings).toEqual([text]);
    expect(cgroups.warn("tools.x", new Map())).toBeUndefined();
    expect(cgroups.warnings).toEqual([]);
    expect(cgroups.directories).toEqual([]);
  });

  it("enables the controllers of version 2 where they are not, before the first limit", async () => {
    const files = ["cgroup.controllers=memory pids", "cgroup.subtree_control=pids"];
    const prefix = makeTree({ "/sys/fs/cgroup": files });
    const place = { version: 2, directory: `${prefix}/sys/fs/cgroup` } as const;
    const layout: CgroupLayout = { kind: "v2", kill: place, limits: { memory: place, cpu: "no", processes: place } };
    const cgroups = new HubCgroups("0".repeat(32), layout);
    const control = join(place.directory, "cgroup.subtree_control");
    expect(cgroups.layoutFor({})).toBe(layout);
    expect(readFileSync(control, "utf8")).toBe("pids\n");
    expect(cgroups.layoutFor({ memoryBytes: 1e9 })).toBe(layout);
    expect(readFileSync(control, "utf8")).toBe("+memory");
    await cgroups.undo();
    expect(readFileSync(control, "utf8")).toBe("-memory");
  });
});
