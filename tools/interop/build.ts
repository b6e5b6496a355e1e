import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { withLock } from "../lock.mjs";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");
const sources = join(import.meta.dirname, "go");
const cache = join(root, ".tools", "interop");

/** The programs of one peer. */
export interface GoPeer {
  /** For test names: what speaks for it. */
  readonly name: string;
  readonly plugin: string;
  readonly client: string;
  /** What its manifest says. */
  readonly id: string;
}

/** Every peer: the published library at two versions, and quic-go with protobuf alone. */
const PEERS = [
  { name: "published library 1.0.2", folder: "sdk", modfile: "go.mod", out: "sdk-1.0.2", id: "interop.sdk" },
  { name: "published library 1.0.6", folder: "sdk", modfile: "newer.mod", out: "sdk-1.0.6", id: "interop.sdk" },
  { name: "quic-go alone", folder: "plain", modfile: "go.mod", out: "plain", id: "interop.plain" },
] as const;

/** Where the peers are, or will be once `buildGoPeers` has run. */
export const GO_PEERS: readonly GoPeer[] = PEERS.map(({ name, out, id }) => {
  const file = (program: string) => join(cache, "bin", `${out}-${program}`);
  return { name, id, plugin: file("plugin"), client: file("client") };
});

/**
 * Builds the Go programs, unless they are there already. Modules come through Go's own proxy settings.
 * @returns why they cannot be built here, or undefined when they are ready
 */
export async function buildGoPeers(): Promise<string | undefined> {
  const version = await run("go", ["env", "GOVERSION"]).catch(() => undefined);
  if (version === undefined) return "Go is absent";
  const stamp = fingerprint(version.stdout);
  const stampFile = join(cache, "stamp");
  return withLock(join(cache, "lock"), async () => {
    if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return undefined;
    try {
      rmSync(stampFile, { force: true });
      mkdirSync(join(cache, "bin"), { recursive: true });
      await generate();
      for (const { folder, modfile, out } of PEERS) {
        for (const program of ["plugin", "client"]) {
          const file = join(cache, "bin", `${out}-${program}`);
          await go(folder, ["build", "-trimpath", `-modfile=${modfile}`, "-o", `${file}.new`, `./${program}`]);
          // In one step: somebody may be running the old one, or be about to run this.
          renameSync(`${file}.new`, file);
        }
      }
      writeFileSync(stampFile, stamp);
      return undefined;
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      return `the Go peers cannot be built: ${(stderr || message).trim().split("\n").slice(-3).join("; ")}`;
    }
  });
}

/** Our schema → Go, with protoc-gen-go from the module that the peer itself uses. */
async function generate(): Promise<void> {
  const fresh = join(cache, "gen.new");
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  writeFileSync(
    join(fresh, "go.mod"),
    "module orchestrator.example/interop/gen\n\ngo 1.26\n\nrequire google.golang.org/protobuf v1.36.12\n",
  );
  const old = join(cache, "gen");
  // The module must exist before Go will look at the one that needs it.
  if (!existsSync(old)) mkdirSync(old, { recursive: true });
  writeFileSync(join(old, "go.mod"), readFileSync(join(fresh, "go.mod")));
  const generator = join(cache, "bin", "protoc-gen-go");
  await go("plain", ["build", "-o", generator, "google.golang.org/protobuf/cmd/protoc-gen-go"]);
  const module = "orchestrator.example/interop/gen";
  const options = [
    `module=${module}`,
    ...["call", "control", "http", "kv"].map((name) => `Morchestra/hub/v1/${name}.proto=${module}/hubv1`),
    `Morchestra/plugin/v1/plugin.proto=${module}/pluginv1`,
  ];
  const template = JSON.stringify({ version: "v2", plugins: [{ local: generator, out: fresh, opt: options }] });
  await run(join(root, "node_modules", ".bin", "buf"), ["generate", "--template", template], {
    cwd: join(root, "proto"),
  });
  rmSync(old, { recursive: true, force: true });
  renameSync(fresh, old);
}

/** No checkout information, no other toolchain: the build must be the same everywhere and fetch modules alone. */
async function go(folder: string, args: readonly string[]): Promise<void> {
  const env = {
    ...process.env,
    GOTOOLCHAIN: "local",
    GOFLAGS: "-buildvcs=false -mod=readonly",
    CGO_ENABLED: "0",
    GOWORK: "off",
  };
  await run("go", [...args], { cwd: join(sources, folder), env, maxBuffer: 16 * 1024 * 1024 });
}

/** Everything that the programs are made of. */
function fingerprint(version: string): string {
  const hash = createHash("sha256").update(version);
  for (const directory of [sources, join(root, "proto"), import.meta.dirname]) {
    const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) =>
      /\.(go|mod|sum|proto)$|^build\.ts$/.test(name),
    );
    for (const name of files.sort()) hash.update(name).update(readFileSync(join(directory, name)));
  }
  return hash.digest("hex");
}
