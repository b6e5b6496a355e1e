import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { testHelloPlugin } from "@orchestrator/testkit/hello-unix-json";

const source = fileURLToPath(new URL("..", import.meta.url));
const target = fileURLToPath(new URL("../../../.tools/unix-json/target", import.meta.url));

/** Builds the plugin with the versions of its lock file, unless it is there already. @returns why it cannot */
async function build(): Promise<string | undefined> {
  const cargo = (args: readonly string[]) =>
    promisify(execFile)("cargo", [...args], { cwd: source, env: { ...process.env, CARGO_TARGET_DIR: target } });
  try {
    await cargo(["--version"]);
  } catch {
    return "cargo is absent";
  }
  try {
    await cargo(["build", "--release", "--locked", "--quiet"]);
    return undefined;
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string };
    return `the plugin cannot be built: ${(stderr ?? String(error)).trim().split("\n").slice(-3).join("; ")}`;
  }
}

testHelloPlugin({
  id: "hello-unix-json-rust",
  language: "Rust",
  program: join(target, "release", "hello-unix-json-rust"),
  problem: await build(),
});
