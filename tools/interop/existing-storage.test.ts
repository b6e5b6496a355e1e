import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { operatorPeer, request, startTestHub, type TestHub } from "../../packages/hub/src/testing/index.ts";
import type { PluginRequest, PluginResponse } from "../../packages/protocol/src/index.ts";
import { command, describeExisting, type Maker } from "./existing.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Metadata = Record<string, Json>;
type Call = NonNullable<PluginRequest["request"]>;

const RUNS = process.env["ORCHESTRATOR_SOAK"] === "full" ? 10_000 : 300;
const storageType = "markdown";

/** Bits of text that mean something to YAML. Line separators (U+2028, U+2029) are left out: ours always escapes them. */
const BITS = ["\n", "\n\n", " ", "\t", ": ", ":", "- ", "#", " #", "? ", "[", "{", "}", ",", "&", "*", "!", "|", ">"]
  .concat(["'", '"', "%", "@", "`", "---", "...", "<<", "\\", "\r", "\u0085", "\ufeff", "\0", "😀", "é", "語", "null"])
  .concat(["2020-01-01", "true", "no", "1", "_", "e3", ".5", "0x", "word", "~", "=", "\u00a0"]);
const text = fc.oneof(
  fc.array(fc.constantFrom(...BITS), { maxLength: 6 }).map((bits) => bits.join("")),
  fc.string({ unit: "grapheme-ascii", maxLength: 200 }),
);
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.double({ min: -1e7, max: 1e7, noNaN: true }),
);
const { metadata } = fc.letrec<{ value: Json; metadata: Metadata }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("metadata"),
  ) as fc.Arbitrary<Json>,
  metadata: fc.dictionary(text, tie("value"), { maxKeys: 5, noNullPrototype: true }) as fc.Arbitrary<Metadata>,
}));

describeExisting("our storage.markdown beside the existing one", ["storage-markdown"], () => {
  it("writes the same bytes, but where the existing one loses what it was given", { timeout: 600_000 }, async () => {
    await using theirs = await start("theirs");
    await using ours = await start("ours");
    const call = await bothAtOnce(theirs, ours);
    let count = 0;
    let same = 0;
    const content = fc.oneof(fc.uint8Array({ maxLength: 40 }), text.map(encode));
    await fc.assert(
      fc.asyncProperty(metadata, content, async (metadata, content) => {
        const path = `app/features/FEAT-${count++}.md`;
        const value = { path, content, metadata, expectedVersion: 0, storageType };
        const [left, right] = await call({ $case: "storageWrite", value } as Call);
        const files = [file(theirs, path), file(ours, path)];
        const [readLeft, readRight] = await call({ $case: "storageRead", value: { path, storageType } });
        expect(right).toMatchObject({ success: true, newVersion: 1 });
        expect(readRight).toEqual(document(content, metadata));
        if (files[0] !== undefined && isSame(readLeft, document(content, metadata))) {
          same += 1;
          expect(left).toEqual(right);
          expect(files[0]).toBe(files[1]);
        }
      }),
      { numRuns: RUNS },
    );
    expect(same).toBeGreaterThan(count * 0.8);
  });

  it("answers the same to calls in any order, and leaves the same files", { timeout: 600_000 }, async () => {
    await using theirs = await start("theirs");
    await using ours = await start("ours");
    const call = await bothAtOnce(theirs, ours);
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
        const root = `run-${count++}`;
        for (const one of steps) {
          const [left, right] = await call(one(root));
          expect(right).toEqual(left);
        }
        expect(tree(ours, root)).toEqual(tree(theirs, root));
      }),
      { numRuns: Math.ceil(RUNS / 4) },
    );
  });
});

const NAMES = ["a.md", "b.md", "A.md", "wip.json", "x y.md", "ü.md", "a.md.bak", "-.md", "[x].md"];
const PATTERNS = [
  "",
  "*.md",
  "*",
  "*.json",
  "?.md",
  "[a-b].md",
  "[^a].md",
  "a*",
  "\\a.md",
  "[",
  "a[",
  "*\\",
  "[b-a].md",
];
const folder = fc.constantFrom("", "app/", "app/features/", "/app/", "./app//", "app/../");
const path = fc.tuple(folder, fc.constantFrom(...NAMES)).map((parts) => parts.join(""));
const pattern = fc.constantFrom(...PATTERNS, "**", "{a,b}.md", "[]a].md", "[!a].md", "x".repeat(300));
const prefix = fc.oneof(path, fc.constantFrom("", "app", "app/", "app/features", "app/f", "nowhere/"));
const body = fc.constantFrom("", "x", "--\n", "# T\n", "a: b");
const small = fc.constantFrom<Metadata | undefined>(
  undefined,
  {},
  { id: "x" },
  { n: 1, list: ["a"], map: {}, z: null },
);
const version = fc.constantFrom(-1, 0, 1, 2, 3, 7);

/** One call on a directory of its own. */
const step: fc.Arbitrary<(root: string) => Call> = fc.oneof(
  fc.tuple(path, body, small, version).map(([path, body, metadata, expectedVersion]) => (root: string) => {
    const value = { path: `${root}/${path}`, content: encode(body), metadata, expectedVersion, storageType };
    return { $case: "storageWrite", value } as Call;
  }),
  path.map(
    (path) =>
      (root: string): Call => ({ $case: "storageRead", value: { path: `${root}/${path}`, storageType } }),
  ),
  path.map(
    (path) =>
      (root: string): Call => ({ $case: "storageDelete", value: { path: `${root}/${path}`, storageType } }),
  ),
  fc.tuple(prefix, pattern).map(([prefix, pattern]) => (root: string): Call => {
    return { $case: "storageList", value: { prefix: `${root}/${prefix}`, pattern, storageType } };
  }),
);

function start(maker: Maker): Promise<TestHub> {
  const binary = command(maker, "storage-markdown");
  return startTestHub({ plugins: [{ id: "storage.markdown", binary, args: ["--workspace=."] }] });
}

/** Puts one call to both, and gives back both answers, without what may differ: times, and the order of keys. */
async function bothAtOnce(theirs: TestHub, ours: TestHub) {
  const peers = await Promise.all([operatorPeer(theirs), operatorPeer(ours)]);
  return async (call: Call) => (await Promise.all(peers.map((peer) => request(peer, call)))).map(plain);
}

function plain({ response }: PluginResponse): Json {
  const known = JSON.stringify(response?.value, (key, value) => {
    if (key === "modifiedAt" || key === "_unknownFields") return undefined;
    return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
  });
  return JSON.parse(known);
}

/** What reading gives where nothing was lost. JSON and YAML know no negative zero. */
function document(content: Uint8Array, metadata: Metadata): Json {
  const isBare = Object.keys(metadata).length === 0;
  const read = JSON.parse(JSON.stringify(metadata)) as Metadata;
  return { content: Buffer.from(content).toString("base64"), ...(isBare ? {} : { metadata: read }), version: 1 };
}

function isSame(left: Json | undefined, right: Json): boolean {
  try {
    expect(left).toEqual(right);
    return true;
  } catch {
    return false;
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function file(hub: TestHub, path: string): string | undefined {
  const name = join(hub.workspace, ".projects", path);
  return existsSync(name) ? readFileSync(name, "base64") : undefined;
}

/** Every file below, with its mode and content. */
function tree(hub: TestHub, root: string): Record<string, string> {
  const top = join(hub.workspace, ".projects", root);
  if (!existsSync(top)) return {};
  const names = readdirSync(top, { recursive: true, encoding: "utf8" }).filter((name) => !name.includes(".orchestra-"));
  return Object.fromEntries(
    names.sort().map((name) => {
      const stats = statSync(join(top, name));
      const mode = (stats.mode & 0o777).toString(8);
      return [name, stats.isFile() ? `${mode} ${readFileSync(join(top, name), "base64")}` : mode];
    }),
  );
}
