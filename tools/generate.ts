/**
 * proto/ → packages/gen. `--check` fails when the committed code differs, `--lint` runs buf's lint and format checks,
 * `--format` writes the formatted schema. Everything runs from node_modules: nothing is downloaded.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const protoDir = join(root, "proto");
const outDir = join(root, "packages", "gen", "src");
const bin = (name: string) => join(root, "node_modules", ".bin", name);

/** ts-proto as erasable TypeScript: no enum, `.ts` imports, unknown fields kept for the relay. */
const options = [
  "env=browser",
  "esModuleInterop=true",
  "importSuffix=.ts",
  "fileSuffix=_pb",
  "oneof=unions-value",
  "enumsAsLiterals=true",
  "unknownFields=true",
  "forceLong=number",
  "outputJsonMethods=false",
  "outputIndex=false",
  "useExactTypes=false",
  "useDate=false",
  "useOptionals=none",
  "comments=true",
];

function buf(args: string[]): void {
  execFileSync(bin("buf"), args, { cwd: protoDir, stdio: "inherit" });
}

function generate(into: string): void {
  const template = {
    version: "v2",
    plugins: [{ local: bin("protoc-gen-ts_proto"), out: into, opt: options, include_imports: true }],
  };
  buf(["generate", "--template", JSON.stringify(template)]);
  for (const file of protoFiles(into)) {
    const text = readFileSync(file, "utf8");
    writeFileSync(file, harden(text.replace(/\/\/ {2}protoc .*\n/, "").replace(/[ \t]+$/gm, "")));
  }
}

/**
 * ts-proto's decoders follow a nested length beyond the message that holds it, and stop silently at a zero tag: bytes that one
 * reader takes for a part of the arguments are a second tool name to another. And a map key "__proto__" becomes the prototype.
 */
function harden(text: string): string {
  return (
    text
      .replace(
        /if \(\(tag & 7\) === 4 \|\| tag === 0\) \{\n(\s*)break;/g,
        'if ((tag & 7) === 4 || tag === 0) {\n$1throw new globalThis.RangeError("illegal tag");',
      )
      .replace(
        /\n(\s*)return message;\n(\s*)\} finally \{/g,
        '\n$1if (reader.pos !== end) {\n$1  throw new globalThis.RangeError("field reaches beyond its message");\n$1}\n$1return message;\n$2} finally {',
      )
      .replace(
        /\n(\s*)message\.(\w+)\[(entry\d+)\.key\] = \3\.value;/g,
        '\n$1if ($3.key === "__proto__") {\n$1  globalThis.Object.defineProperty(message.$2, $3.key, { value: $3.value, enumerable: true, configurable: true, writable: true });\n$1} else {\n$1  message.$2[$3.key] = $3.value;\n$1}',
      )
      // Struct only: wrap and unwrap copy key by key, which loses "__proto__" and costs half of a decode.
      .replace(
        /( {2}wrap\(object: \{ \[key: string\]: any \} \| undefined\): Struct \{\n)[\s\S]*?\n {2}\},\n/,
        "$1    return { fields: object ?? {}, _unknownFields: {} };\n  },\n",
      )
      .replace(
        /( {2}unwrap\(message: Struct\): \{ \[key: string\]: any \} \{\n)[\s\S]*?\n {2}\},\n/,
        "$1    return message.fields;\n  },\n",
      )
  );
}

function protoFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("_pb.ts"))
    .map((name) => join(directory, name))
    .sort();
}

function check(): void {
  const fresh = mkdtempSync(join(tmpdir(), "orchestrator-gen-"));
  try {
    generate(fresh);
    const names = (dir: string) => protoFiles(dir).map((file) => relative(dir, file));
    const stale = [...new Set([...names(fresh), ...names(outDir)])].filter((name) => {
      try {
        return readFileSync(join(fresh, name), "utf8") !== readFileSync(join(outDir, name), "utf8");
      } catch {
        return true;
      }
    });
    if (stale.length > 0) {
      console.error(`Generated code is stale: ${stale.join(", ")}. Run "pnpm generate" and commit the result.`);
      process.exitCode = 1;
    } else {
      console.log("Generated code is up to date");
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

const mode = process.argv[2];
if (mode === "--lint") {
  buf(["lint"]);
  buf(["format", "--diff", "--exit-code"]);
} else if (mode === "--format") {
  buf(["format", "--write"]);
} else if (mode === "--check") {
  check();
} else {
  const fresh = mkdtempSync(join(tmpdir(), "orchestrator-gen-"));
  generate(fresh);
  for (const file of protoFiles(outDir)) rmSync(file);
  cpSync(fresh, outDir, { recursive: true });
  rmSync(fresh, { recursive: true, force: true });
}
