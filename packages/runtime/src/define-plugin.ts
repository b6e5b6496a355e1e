import type { PluginManifest } from "@orchestrator/protocol";
import type { AcceptLink } from "@orchestrator/transport";
import type { PluginDefinition } from "./definition.ts";
import { compilePlugin } from "./plugin/compile.ts";
import { PluginRuntime } from "./plugin/plugin-runtime.ts";
import { serve } from "./process/serve.ts";
import { log } from "./process/stderr.ts";

/** Where a plugin program takes its orders from. */
export interface ServeOptions {
  /** Command line words after the program. Default `process.argv.slice(2)`. */
  readonly argv?: readonly string[];
  /** Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A plugin, ready to be run as a program or inside another one. */
export interface Plugin {
  readonly definition: PluginDefinition;
  readonly manifest: PluginManifest;
  /**
   * Runs the plugin as this process, and ends the process: 0 when it was asked to stop, 1 when it could not start or go on,
   * 2 for a command line that it does not understand.
   */
  serve(options?: ServeOptions): Promise<never>;
  /**
   * Serves the plugin over a link that the host already has, any carrier; the plugin registers and makes its own calls over
   * the same link. `setup` is not run: it belongs to a command line. The `shutdown` hook runs at the latest when the link ends.
   */
  readonly handler: AcceptLink;
}

/**
 * Checks a definition and makes a plugin of it.
 * @throws {HubError} `INVALID_ARGUMENT` that says what to change
 */
export function definePlugin(definition: PluginDefinition): Plugin {
  const compiled = compilePlugin(definition);
  return {
    definition,
    manifest: compiled.manifest,
    serve: ({ argv = process.argv.slice(2), env = process.env } = {}) => serve(compiled, argv, env),
    handler: (link) => new PluginRuntime(compiled, log).accept(link),
  };
}
