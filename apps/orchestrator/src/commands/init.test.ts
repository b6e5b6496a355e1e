import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parse as parseToml } from "smol-toml";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { run, tempDirectory } from "../../test/run.ts";

const read = (...path: string[]): string => readFileSync(join(...path), "utf8");
const json = (...path: string[]) => JSON.parse(read(...path));

describe("orchestrator init", () => {
  it("writes each client's file in that client's form", async () => {
    const [cwd, home] = [tempDirectory(), tempDirectory()];
    const { code, json: result } = await run(["init", "--all", "--json"], { cwd, home });
    expect(code).toBe(0);
    const { server } = result();
    const { command, args } = server;
    expect(args.slice(-3)).toEqual(["mcp", "--workspace", cwd]);
    for (const file of [".mcp.json", ".cursor/mcp.json", ".vscode/mcp.json", ".gemini/settings.json"]) {
      expect(json(cwd, file).mcpServers.orchestra).toEqual({ command, args });
    }
    expect(json(home, ".codeium/windsurf/mcp_config.json").mcpServers.orchestra).toEqual({ command, args });
    expect(json(cwd, ".vscode/mcp.json").servers.orchestra).toEqual({ type: "stdio", command, args });
    expect(json(cwd, ".zed/settings.json")).toEqual({
      context_servers: { orchestra: { command: { path: command, args } } },
    });
    expect(parseToml(read(cwd, ".codex/config.toml"))).toEqual({ mcp_servers: { orchestra: { command, args } } });
    expect(parseYaml(read(cwd, ".continue/mcpServers/orchestra.yaml"))).toMatchObject({
      name: "orchestra",
      command,
      args,
      mcpServers: [{ name: "orchestra", command, args }],
    });
  });

  it("writes a command that starts this program", async () => {
    const cwd = tempDirectory();
    await run(["init", "--ide", "claude"], { cwd });
    const { command, args } = json(cwd, ".mcp.json").mcpServers.orchestra;
    const [program] = args;
    const output = execFileSync(command, [program, "version", "--json"], { cwd: "/", env: {}, encoding: "utf8" });
    expect(JSON.parse(output).program).toBe(program);
    const help = execFileSync(command, [program, "help", args[1]], { cwd: "/", env: {}, encoding: "utf8" });
    expect(help).toContain("--workspace");
  });

  it("is done the second time", async () => {
    const [cwd, home] = [tempDirectory(), tempDirectory()];
    await run(["init", "--all"], { cwd, home });
    const files = () => readdirSync(cwd, { recursive: true }).sort();
    const before = files();
    const again = await run(["init", "--all", "--json"], { cwd, home });
    expect(new Set(again.json().written.map((one: { action: string }) => one.action))).toEqual(new Set(["unchanged"]));
    expect(files()).toEqual(before);
  });

  it("finds the clients that are in use, and takes Claude Code where none is", async () => {
    const [cwd, home] = [tempDirectory(), tempDirectory()];
    const ids = async () =>
      (await run(["init", "--json", "--dry-run"], { cwd, home })).json().written.map((one: { ide: string }) => one.ide);
    expect(await ids()).toEqual(["claude"]);
    mkdirSync(join(cwd, ".vscode"));
    mkdirSync(join(cwd, ".codex"));
    mkdirSync(join(home, ".codeium"));
    expect(await ids()).toEqual(["vscode", "windsurf", "codex"]);
  });

  it("merges, keeps a copy, the mode and a link", async () => {
    const cwd = tempDirectory();
    const text = '{\n  // mine\n  "mcpServers": { "other": { "command": "y" } }\n}\n';
    mkdirSync(join(cwd, "dotfiles"));
    writeFileSync(join(cwd, "dotfiles", "mcp.json"), text);
    chmodSync(join(cwd, "dotfiles", "mcp.json"), 0o640);
    symlinkSync("dotfiles/mcp.json", join(cwd, ".mcp.json"));
    const { json: result } = await run(["init", "--ide", "claude", "--json"], { cwd });
    expect(result().written).toMatchObject([{ action: "updated", backup: join(cwd, ".mcp.json.bak") }]);
    expect(lstatSync(join(cwd, ".mcp.json")).isSymbolicLink()).toBe(true);
    expect(statSync(join(cwd, ".mcp.json")).mode & 0o777).toBe(0o640);
    expect(read(cwd, ".mcp.json")).toContain("// mine");
    expect(read(cwd, ".mcp.json")).toContain('"other": { "command": "y" }');
    expect(read(cwd, ".mcp.json.bak")).toBe(text);
  });

  it("leaves a file that it does not understand as it is, does the others, and says so", async () => {
    const cwd = tempDirectory();
    mkdirSync(join(cwd, ".cursor"));
    writeFileSync(join(cwd, ".mcp.json"), '{ "mcpServers": ');
    writeFileSync(join(cwd, ".cursor", "mcp.json"), Buffer.from([0x7b, 0xff, 0x7d]));
    const { code, stdout } = await run(["init", "--ide", "claude,cursor,gemini"], { cwd });
    expect(code).toBe(1);
    expect(stdout).toMatch(/claude +failed .*\.mcp\.json: line 1: .*not valid JSON/);
    expect(stdout).toMatch(/cursor +failed .*not UTF-8/);
    expect(stdout).toMatch(/gemini +created/);
    expect(read(cwd, ".mcp.json")).toBe('{ "mcpServers": ');
    expect(existsSync(join(cwd, ".mcp.json.bak"))).toBe(false);
  });

  it("writes nothing in a dry run, and shows what two clients of one file would make of it", async () => {
    const cwd = tempDirectory();
    const { stdout } = await run(["init", "--ide", "vscode,cline", "--dry-run"], { cwd });
    expect(readdirSync(cwd)).toEqual([]);
    expect(stdout).toContain('"servers"');
    expect(stdout).toMatch(/cline +unchanged/);
  });

  it("refuses what makes no sense, before it writes", async () => {
    const cwd = tempDirectory();
    for (const args of [
      ["--ide", "emacs"],
      ["--ide", ","],
      ["--workspace", "missing"],
      ["--name", "a b"],
      ["--ied", "x"],
    ]) {
      const { code, stderr } = await run(["init", ...args], { cwd });
      expect(code).toBe(2);
      expect(stderr).toContain("error:");
    }
    expect((await run(["init", "--ide", "emacs"], { cwd })).stderr).toMatch(
      /"emacs"\nhint: Known clients: claude, cursor/,
    );
    expect(readdirSync(cwd)).toEqual([]);
  });
});

it("survives a reader that stops early", async () => {
  const cwd = tempDirectory();
  await run(["init", "--ide", "claude"], { cwd });
  const { command, args } = json(cwd, ".mcp.json").mcpServers.orchestra;
  const child = spawn("/bin/sh", ["-c", '"$0" "$1" init --all --dry-run --json | head -c 1', command, args[0]], {
    cwd,
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const [code] = await once(child, "close");
  expect([code, stderr]).toEqual([0, ""]);
});
