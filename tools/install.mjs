import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { withLock } from "./lock.mjs";

/** Fetched with npx, so that nothing has to be installed by hand. */
const PNPM = "pnpm@12.21.0";

/** Brings node_modules in step with the lock file; does nothing where they are. Two at once take turns. */
export async function install(root) {
  const stampFile = join(root, "node_modules", ".orchestrator-stamp");
  const inStep = (stamp) => existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
  if (inStep(fingerprint(root))) return;
  await withLock(join(root, ".tools", "install.lock"), async () => {
    // Whoever held the lock may have done the work; and a pull meanwhile may have changed it.
    const stamp = fingerprint(root);
    if (inStep(stamp)) return;
    process.stderr.write(`Setting up: ${PNPM} install (this machine's first run, or the lock file changed)\n`);
    const started = Date.now();
    rmSync(stampFile, { force: true });
    await pnpmInstall(root);
    writeFileSync(stampFile, stamp);
    process.stderr.write(`Set up in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  });
}

/** Everything that decides what an install makes: the lock file, the settings, each package's dependencies, and the machine. */
export function fingerprint(root) {
  const hash = createHash("sha256").update(`${PNPM} ${process.platform} ${process.arch}\n`);
  for (const name of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc"]) {
    if (existsSync(join(root, name))) hash.update(`${name}\n`).update(readFileSync(join(root, name)));
  }
  for (const file of manifests(root)) {
    const manifest = JSON.parse(readFileSync(join(root, file), "utf8"));
    const { name, bin, dependencies, devDependencies, optionalDependencies, peerDependencies } = manifest;
    hash.update(
      JSON.stringify([file, name, bin, dependencies, devDependencies, optionalDependencies, peerDependencies]),
    );
  }
  return hash.digest("hex");
}

/** package.json of the root and of each package, sorted; the folders are those of pnpm-workspace.yaml. */
function manifests(root) {
  const text = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
  const block = /^packages:\n((?:[ \t]+-.*\n|[ \t]*#.*\n|[ \t]*\n)*)/m.exec(text)?.[1] ?? "";
  const folders = [...block.matchAll(/^\s*-\s*["']?([^"'\n#]+?)["']?\s*$/gm)].map((match) => match[1]);
  const files = folders.flatMap((folder) => {
    if (!folder.endsWith("/*")) return [`${folder}/package.json`];
    const parent = folder.slice(0, -2);
    const path = join(root, parent);
    return existsSync(path) ? readdirSync(path).map((name) => `${parent}/${name}/package.json`) : [];
  });
  return ["package.json", ...files].filter((file) => existsSync(join(root, file))).sort();
}

async function pnpmInstall(root) {
  const [file, ...before] = npx();
  const args = [...before, "--yes", PNPM, "install", "--frozen-lockfile", "--config.confirmModulesPurge=false"];
  // Engines are checked against the Node that everything will run on, not the one that happens to run this file.
  const pinned = /^ {2}"?node"?: (\d\S*)$/m.exec(readFileSync(join(root, "pnpm-workspace.yaml"), "utf8"))?.[1];
  if (pinned !== undefined) args.push(`--config.nodeVersion=${pinned}`);
  const child = spawn(file, args, {
    cwd: root,
    // The streams of a command that has not begun: its stdin stays untouched, and its stdout silent.
    stdio: ["ignore", 2, 2],
    env: { ...process.env, npm_config_update_notifier: "false" },
    shell: process.platform === "win32" && before.length === 0,
  });
  const stop = (signal) => child.kill(signal);
  process.on("SIGINT", stop).on("SIGTERM", stop);
  const outcome = await new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, signal) => resolve(code === 0 ? "" : `it ended with ${signal ?? `code ${code}`}`));
  });
  process.off("SIGINT", stop).off("SIGTERM", stop);
  if (outcome === "") return;
  // npm puts node_modules/.bin in front of PATH. Half an install may hold a `node` there that does not run, and then not even
  // this file would start the next time.
  for (const name of ["node", "node.cmd", "node.ps1", "node.exe"]) {
    rmSync(join(root, "node_modules", ".bin", name), { force: true });
  }
  throw new Error(`Set-up failed: ${PNPM} install: ${outcome}. Run the command again to go on.`);
}

/** npx by its script beside npm, run by this Node; otherwise whatever PATH has. */
function npx() {
  const npm = process.env["npm_execpath"] ?? "";
  const script = join(dirname(npm), "npx-cli.js");
  if (npm.endsWith("npm-cli.js") && existsSync(script)) return [process.execPath, script];
  return ["npx"];
}
