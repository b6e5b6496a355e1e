import { basename } from "node:path";
import { HubError, manifestToJson } from "@orchestrator/protocol";
import type { CompiledPlugin } from "../plugin/compile.ts";
import { type Flags, parseFlags, usage } from "./flags.ts";

/** Exit code for a command line that makes no sense; existing hosts expect this one. */
const EXIT_USAGE = 2;

/** The whole life of a plugin process. Ends the process; the promise never resolves. */
export async function serve(
  plugin: CompiledPlugin,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<never> {
  const own = plugin.definition.flags ?? {};
  const program = basename(process.argv[1] ?? plugin.manifest.id);
  let flags: Flags;
  try {
    flags = parseFlags(argv, own);
  } catch (error) {
    return await exitAfter(process.stderr, `${HubError.from(error).message}\n\n${usage(program, own)}`, EXIT_USAGE);
  }
  if (flags.help) return await exitAfter(process.stdout, usage(program, own), 0);
  if (flags.manifest) return await exitAfter(process.stdout, `${manifestToJson(plugin.manifest)}\n`, 0);
  // Certificates and QUIC are loaded only here: hosts ask for the manifest often, and want it at once.
  const { runPlugin } = await import("./run-plugin.ts");
  return await runPlugin(plugin, flags, env);
}

/** Exits once the text has left: a pipe takes it later than the call returns. */
async function exitAfter(stream: NodeJS.WriteStream, text: string, code: number): Promise<never> {
  await new Promise<void>((resolve) => stream.write(text, () => resolve()));
  process.exit(code);
}
