import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isAlive } from "../testing/index.ts";
import { discover } from "./discovery.ts";
import { instanceId, instanceIdFile, isUuid } from "./instance-id.ts";
import { type Metadata, parseMetadata } from "./metadata.ts";
import { MetadataProbe, type MetadataQuestion } from "./metadata-probe.ts";
import { SocketDirectory } from "./socket-directory.ts";

let root = "";
let directory = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "orchestrator-found-"));
  directory = join(root, "plugins");
  mkdirSync(directory);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const GOOD = { id: "hello", name: "Hello", version: "0.1.0", author: null, icon: "🦀", route: "/hello" };
const messageOf = (text: string): string => {
  try {
    parseMetadata(text);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("metadata", () => {
  it("is read with and without an author", () => {
    expect(parseMetadata(JSON.stringify(GOOD))).toEqual({ ...GOOD, author: "" });
    expect(parseMetadata(JSON.stringify({ ...GOOD, author: "A", route: "/a/b-c" })).route).toBe("/a/b-c");
  });

  it.each([
    ["", "it printed nothing"],
    ["hello", "something else than JSON"],
    ["[]", "no JSON object"],
    [JSON.stringify({ ...GOOD, id: "" }), '"id" is empty'],
    [JSON.stringify({ ...GOOD, id: "a_b" }), 'the id "a_b" is not of letters'],
    [JSON.stringify({ ...GOOD, id: "../x" }), 'the id "../x" is not of letters'],
    [JSON.stringify({ ...GOOD, id: 5 }), '"id" is no text'],
    [JSON.stringify({ ...GOOD, name: undefined }), '"name" is missing'],
    [JSON.stringify({ ...GOOD, name: "ü".repeat(51) }), '"name" has 102 bytes'],
    [JSON.stringify({ ...GOOD, author: "a".repeat(101) }), '"author" has 101 bytes'],
    [JSON.stringify({ ...GOOD, route: "hello" }), 'the route "hello" is not "/"'],
    [JSON.stringify({ ...GOOD, route: "/a/../b" }), 'the route "/a/../b" is not "/"'],
    [JSON.stringify({ ...GOOD, route: "/" }), 'the route "/" is not "/"'],
  ])("is refused: %s", (text, message) => {
    expect(messageOf(text)).toContain(message);
  });
});

/** A program that prints its metadata, or does something else. */
function program(name: string, script: string): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Has much patience with all programs, and little with those that hang, as their names say. */
class Probe extends MetadataProbe {
  readonly #hasty: MetadataProbe;

  constructor(hastyMs = 400) {
    super(60_000);
    this.#hasty = new MetadataProbe(hastyMs);
  }

  override async read(question: MetadataQuestion): Promise<Metadata> {
    return question.command[0].endsWith("/hangs.binary")
      ? await this.#hasty.read(question)
      : await super.read(question);
  }
}

const prints = (metadata: object) => `echo '${JSON.stringify(metadata)}'`;
const find = (more: Partial<Parameters<typeof discover>[0]> = {}) =>
  discover({
    directories: [directory],
    probe: new Probe(),
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "" },
    taken: new Map(),
    configured: [],
    ...more,
  });

describe("discovery", () => {
  it("finds one program, passes over what is none, and goes on past those that fail", async () => {
    program("good.binary", prints(GOOD));
    program("other.txt", prints({ ...GOOD, id: "x" }));
    program("exits.binary", "echo oh no >&2; exit 3");
    program("hangs.binary", "sleep 1000");
    program("json.binary", "echo '{'");
    program("utf8.binary", "printf '\\377'");
    program("floods.binary", "yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    const { found, problems } = await find();
    expect(found.map(({ metadata }) => metadata.id)).toEqual(["hello"]);
    const text = problems.join("\n");
    for (const what of [
      /exits\.binary": It exited with code 3; it said: oh no/,
      /hangs\.binary": It gave no answer within 400 ms/,
      /json\.binary": Its metadata cannot be used: it printed something else than JSON/,
      /utf8\.binary": It printed bytes that are not UTF-8/,
      /floods\.binary": It printed more than 1048576 bytes/,
    ]) {
      expect(text).toMatch(what);
    }
    expect(problems).toHaveLength(5);
  });

  it("says of each that has the name of a program and is none what it is, and what to do", async () => {
    const at = (name: string) => join(directory, name);
    program("good.binary", prints(GOOD));
    mkdirSync(at("a.binary"));
    execFileSync("mkfifo", [at("b.binary")]);
    symlinkSync("nowhere", at("c.binary"));
    symlinkSync("d.binary", at("d.binary"));
    chmodSync(program("e.binary", "true"), 0o600);
    symlinkSync("/bin/sh", at("f.binary"));
    const socket = createServer().listen(at("g.binary"));
    await once(socket, "listening");
    const { found, problems } = await find();
    socket.close();
    expect(found).toHaveLength(1);
    const away = "Remove it, or give it a name that does not end in .binary";
    expect(problems).toEqual([
      `Skipped "${at("a.binary")}": it is a directory, not a program. ${away}`,
      `Skipped "${at("b.binary")}": it is a named pipe, not a program. ${away}`,
      `Skipped "${at("c.binary")}": it is a link to "nowhere", which is not there. Mend the link, or remove it`,
      `Skipped "${at("d.binary")}": it is a link that leads back to itself. Remove it`,
      `Skipped "${at("e.binary")}": it may not be run. Make it executable: chmod +x "${at("e.binary")}"`,
      expect.stringMatching(/f\.binary": it leads out of the directory, to ".*"\. Put the program itself there$/),
      `Skipped "${at("g.binary")}": it is a socket, not a program. ${away}`,
    ]);
  });

  it("says what is wrong with a plugin directory that is none", async () => {
    const [file, link] = [join(root, "file"), join(root, "link")];
    writeFileSync(file, "");
    symlinkSync("nowhere", link);
    const { problems } = await find({ directories: [file, link, join(file, "below")] });
    expect(problems).toEqual([
      `The plugin directory "${file}" cannot be used: it is a file. Remove it, or name a directory in plugin_dirs`,
      `The plugin directory "${link}" cannot be used: it is a link to "nowhere", which is not there. Mend the link, or remove it`,
      expect.stringMatching(
        /below" cannot be used: something on the way to it is a file \(ENOTDIR\)\. Mend the path in plugin_dirs$/,
      ),
    ]);
  });

  it("leaves no process of a program that hangs with its children", async () => {
    const file = join(root, "pids");
    writeFileSync(file, "");
    program("hangs.binary", `sleep 1000 & echo $! >> ${file}; sleep 1000 & echo $! >> ${file}; wait`);
    const pids = () => readFileSync(file, "utf8").split("\n").slice(0, -1).map(Number);
    // On a machine that stands still its time may be over before it has started both.
    for (let hastyMs = 200; pids().length < 2; hastyMs *= 8) await find({ probe: new Probe(hastyMs) });
    await expect.poll(() => pids().filter(isAlive)).toEqual([]);
  });

  it("ends with a program that has ended, though a child of it lives on and holds its output", async () => {
    const file = join(root, "pid");
    // The child has left the group of the program before that ends.
    const child = `setsid sh -c 'echo $$ > ${file}.new; mv ${file}.new ${file}; exec sleep 1000' &`;
    program("good.binary", `${child} while [ ! -e ${file} ]; do sleep 0.01; done; ${prints(GOOD)}`);
    try {
      expect((await find()).found).toHaveLength(1);
    } finally {
      process.kill(Number(readFileSync(file, "utf8")));
    }
  });

  it("refuses an id or a route that is taken, and says by whom", async () => {
    program("a.binary", prints(GOOD));
    program("b.binary", prints({ ...GOOD, route: "/b" }));
    program("c.binary", prints({ ...GOOD, id: "c" }));
    program("d.binary", prints({ ...GOOD, id: "tools", route: "/d" }));
    program("e.binary", prints({ ...GOOD, id: "orchestrator-x", route: "/e" }));
    const { found, problems } = await find({ taken: new Map([["tools", "an entry of the configuration"]]) });
    expect(found.map(({ file }) => file)).toEqual([join(directory, "a.binary")]);
    expect(problems).toEqual([
      expect.stringMatching(/b\.binary": its id "hello" is that of ".*a\.binary"/),
      expect.stringMatching(/c\.binary": its route "\/hello" is that of ".*a\.binary"/),
      expect.stringContaining('its id "tools" is that of an entry of the configuration'),
      expect.stringContaining("a name of the hub itself"),
    ]);
  });

  it("follows links within the directory and no others", async () => {
    program("real", prints(GOOD));
    symlinkSync(join(directory, "real"), join(directory, "in.binary"));
    const outside = join(root, "outside");
    writeFileSync(outside, "#!/bin/sh\n");
    symlinkSync(outside, join(directory, "out.binary"));
    symlinkSync(join(root, "nowhere"), join(directory, "dangling.binary"));
    const { found, problems } = await find();
    expect(found.map(({ metadata }) => metadata.id)).toEqual(["hello"]);
    expect(problems).toEqual([
      expect.stringMatching(/dangling\.binary": it is a link to ".*", which is not there/),
      expect.stringMatching(/out\.binary": it leads out of the directory/),
    ]);
  });

  it("makes a directory that is missing, and leaves programs of the configuration alone", async () => {
    const missing = join(root, "not", "there");
    expect(await find({ directories: [missing] })).toEqual({ found: [], problems: [] });
    expect(statSync(missing).isDirectory()).toBe(true);
    const own = program("own.binary", prints(GOOD));
    expect(await find({ configured: [own] })).toEqual({ found: [], problems: [] });
    writeFileSync(join(root, "file"), "");
    expect((await find({ directories: [join(root, "file")] })).problems).toEqual([
      expect.stringContaining("cannot be used"),
    ]);
  });

  it("asks a program once, and again when it has changed", async () => {
    const probe = new Probe();
    const log = join(root, "asked");
    const path = program("a.binary", `echo x >> ${log}; ${prints(GOOD)}`);
    await find({ probe });
    await find({ probe });
    expect(readFileSync(log, "utf8")).toBe("x\n");
    writeFileSync(path, `#!/bin/sh\n${prints({ ...GOOD, id: "changed" })}\n`);
    expect((await find({ probe })).found[0]?.metadata.id).toBe("changed");
  });
});

describe("the id of the installation", () => {
  it("is a UUID of version 4, made once and kept", () => {
    const state = join(root, "state");
    const id = instanceId(state);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(instanceId(state)).toBe(id);
    expect(statSync(instanceIdFile(state)).mode & 0o777).toBe(0o600);
    expect(instanceId(join(root, "other"))).not.toBe(id);
  });

  it.each(["550e8400-e29b-41d4-a716-446655440000", "6BA7B810-9DAD-41D1-80B4-00C04FD430C8"])("may be %s", (id) => {
    expect(isUuid(id)).toBe(true);
    writeFileSync(instanceIdFile(root), ` ${id}\r\n`);
    expect(instanceId(root)).toBe(id.toLowerCase());
  });

  it.each([
    "",
    "not-a-uuid",
    "550e8400e29b41d4a716446655440000",
    "550e8400-e29b-41d4-a716-44665544000",
    "550e8400-e29b-41d4-a716-44665544000g",
  ])("may not be %j, and is not replaced", (id) => {
    expect(isUuid(id)).toBe(false);
    writeFileSync(instanceIdFile(root), id);
    expect(() => instanceId(root)).toThrow(/does not hold a UUID/);
    expect(readFileSync(instanceIdFile(root), "utf8")).toBe(id);
  });
});

describe("the directory of sockets", () => {
  it("is short, its user's alone, gives no path twice, and goes with its hub", () => {
    const sockets = new SocketDirectory(join(root, "x".repeat(200)), {});
    const [a, b] = [sockets.pathFor("hello"), sockets.pathFor("hello")];
    expect(a).not.toBe(b);
    expect(Buffer.byteLength(sockets.pathFor("i".repeat(100)))).toBeLessThanOrEqual(103);
    expect(statSync(sockets.path).mode & 0o777).toBe(0o700);
    writeFileSync(a, "");
    sockets.remove();
    expect(existsSync(sockets.path)).toBe(false);
  });

  it("is cleared of what a killed hub left, and of nothing else", () => {
    const first = new SocketDirectory(root, {});
    const mine = first.pathFor("a");
    writeFileSync(mine, "");
    const dead = join(first.path, `a.${(2 ** 22 + 1).toString(36)}.1.sock`);
    writeFileSync(dead, "");
    const second = new SocketDirectory(root, {});
    second.pathFor("b");
    expect([existsSync(mine), existsSync(dead)]).toEqual([true, false]);
    second.remove();
    first.remove();
    expect(existsSync(first.path)).toBe(false);
  });

  it("is not taken where others may look into it", () => {
    const sockets = new SocketDirectory(root, {});
    mkdirSync(sockets.path);
    chmodSync(sockets.path, 0o755);
    expect(() => sockets.pathFor("a")).toThrow(/not a directory that this user alone may enter/);
    rmSync(sockets.path, { recursive: true });
  });
});
