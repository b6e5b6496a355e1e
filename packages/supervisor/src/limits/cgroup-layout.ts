import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import type { LimitName } from "./process-limits.ts";

/** Where control groups for one kind of limit can be made. */
export interface CgroupPlace {
  readonly version: 1 | 2;
  /** The hub's own control group in that hierarchy; those of plugins lie below it. */
  readonly directory: string;
}

/** What this process may do with control groups. */
export interface CgroupLayout {
  /** "hybrid": limits by version 1, containment by version 2. */
  readonly kind: "v2" | "v1" | "hybrid" | "none";
  /** Where all processes of a group can be killed at once. */
  readonly kill: CgroupPlace | undefined;
  readonly limits: Readonly<Record<LimitName, CgroupPlace | string>>;
}

export interface CgroupSources {
  /** `/proc/self/mountinfo` */
  readonly mountinfo: string;
  /** `/proc/self/cgroup` */
  readonly cgroup: string;
  /** Stands before every path; "" but in tests. */
  readonly prefix: string;
}

/** What control group controllers call the limits. */
export const CONTROLLERS: Readonly<Record<LimitName, string>> = { memory: "memory", cpu: "cpu", processes: "pids" };

interface Mount {
  readonly version: 1 | 2;
  readonly point: string;
  /** The part of the hierarchy that is seen here. */
  readonly root: string;
  /** Of version 1. */
  readonly controllers: readonly string[];
}

/** Looks at what is mounted, where this process is in it, and whether groups can be made there. Changes nothing. */
export function detectCgroups(sources: CgroupSources = ownSources()): CgroupLayout {
  const mounts = parseMounts(sources.mountinfo);
  const unified = mounts.find((mount) => mount.version === 2);
  const v2 = unified === undefined ? undefined : place(unified, ownPath(sources.cgroup, ""), sources.prefix);
  const limits = {
    memory: limitPlace("memory", mounts, v2, sources),
    cpu: limitPlace("cpu", mounts, v2, sources),
    processes: limitPlace("processes", mounts, v2, sources),
  };
  const places = Object.values(limits).filter((found) => typeof found !== "string");
  const hasV1 = places.some((found) => found.version === 1);
  const hasV2 = places.some((found) => found.version === 2);
  const kill = v2 !== undefined && isWritable(v2.directory) ? v2 : undefined;
  const kind = hasV1 ? (kill === undefined ? "v1" : "hybrid") : hasV2 || kill !== undefined ? "v2" : "none";
  return { kind, kill, limits };
}

function ownSources(): CgroupSources {
  const read = (path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  return { mountinfo: read("/proc/self/mountinfo"), cgroup: read("/proc/self/cgroup"), prefix: "" };
}

/** @returns the place, or why there is none */
function limitPlace(
  name: LimitName,
  mounts: readonly Mount[],
  v2: CgroupPlace | undefined,
  sources: CgroupSources,
): CgroupPlace | string {
  const controller = CONTROLLERS[name];
  const v1 = mounts.find((mount) => mount.version === 1 && mount.controllers.includes(controller));
  if (v1 !== undefined) {
    const found = place(v1, ownPath(sources.cgroup, controller), sources.prefix);
    if (found === undefined) return `the control group "${controller}" of this process is not mounted here`;
    return isWritable(found.directory) ? found : `"${found.directory}" cannot be written`;
  }
  if (v2 === undefined) return mounts.length === 0 ? "no control groups are mounted" : "control groups are not mounted";
  const offered = readWords(join(v2.directory, "cgroup.controllers"));
  if (!offered.includes(controller)) return `"${v2.directory}" was given no controller "${controller}"`;
  if (!isWritable(v2.directory)) return `"${v2.directory}" cannot be written`;
  return v2;
}

/** Where a group of the hierarchy lies in the file system, as far as it is mounted. */
function place(mount: Mount, path: string | undefined, prefix: string): CgroupPlace | undefined {
  if (path === undefined) return undefined;
  const relative = mount.root === "/" ? path : posix.relative(mount.root, path);
  // A container without a name space for groups sees the whole path but has only its own part mounted.
  const inside = relative.startsWith("..") ? "" : relative;
  const directory = `${prefix}${posix.join(mount.point, inside).replace(/\/$/, "")}`;
  return existsSync(directory) ? { version: mount.version, directory } : undefined;
}

/** @param controller "" for version 2 */
function ownPath(cgroup: string, controller: string): string | undefined {
  for (const line of cgroup.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined) continue;
    if (controller === "" ? controllers === "" : controllers.split(",").includes(controller)) return path;
  }
  return undefined;
}

/** Lines of mountinfo: `36 35 98:0 /root /point options [tags] - type source super-options`; spaces are written `\040`. */
function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split("\n").flatMap((line): Mount[] => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "", point = ""] = before.split(" ").map(plain);
    const [type, , options = ""] = after.split(" ");
    if (type === "cgroup2") return [{ version: 2, point, root, controllers: [] }];
    return type === "cgroup" ? [{ version: 1, point, root, controllers: options.split(",") }] : [];
  });
}

function plain(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Whether groups can be made in it, and processes be moved between it and them. */
function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    accessSync(join(directory, "cgroup.procs"), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

export function readWords(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split(/\s+/).filter(Boolean);
  } catch {
    return [];
  }
}
