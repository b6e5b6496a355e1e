import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { CompiledPlugin } from "../plugin/compile.ts";
import { PluginRuntime } from "../plugin/plugin-runtime.ts";
import { onCrash } from "./crash.ts";
import type { Flags } from "./flags.ts";
import { giveBackMemory } from "./give-back.ts";
import { hostPeers } from "./host-peers.ts";
import { NO_PARENT, watchParent } from "./parent.ts";
import { PluginProcess } from "./plugin-process.ts";
import { log } from "./stderr.ts";

/**
 * Starts the plugin, serves until it is told to stop or cannot go on, and ends the process.
 * @param probeMs how long a hub may take to say that it lives, once the parent is gone; default 10 000
 */
export async function runPlugin(
  plugin: CompiledPlugin,
  flags: Flags,
  env: Readonly<Record<string, string | undefined>>,
  probeMs?: number,
): Promise<never> {
  const parent = env["ORCHESTRATOR_DETACHED"] === "1" ? NO_PARENT : watchParent();
  const runtime = new PluginRuntime(plugin, log);
  const program = new PluginProcess(runtime, flags, hostPeers(env), probeMs);
  const fd = inheritedFd(env["ORCHESTRATOR_LINK"]);
  onCrash(log, (reason) => program.die(reason));
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => program.onSignal());
  try {
    await plugin.definition.setup?.(flags.values);
    if (fd === undefined) await program.listen();
    else await program.inherit(fd);
  } catch (error) {
    const details = error instanceof HubError ? undefined : { error };
    log.error(`Cannot start plugin "${plugin.manifest.id}": ${HubError.from(error).message}`, details);
    return await program.end(1);
  }
  if (fd !== undefined) {
    parent.stopWatching();
  } else if (flags.orchestratorAddr === "") {
    const reason = "The plugin was started without --orchestrator-addr, so it has no hub to call";
    runtime.channel.close(new HubError(ErrorCode.Unavailable, reason));
    parent.onGone(() => program.leave("the process that started it is gone"));
  } else {
    program.connect(parent);
  }
  void plugin.warmUp().then(() => giveBackMemory(() => runtime.server.callsInFlight > 0));
  return await new Promise<never>(() => {});
}

/** `fd:<number>`; everything else means that there is no socket to inherit. Deno cannot open inherited sockets, so it serves QUIC. */
function inheritedFd(link: string | undefined): number | undefined {
  const match = /^fd:(\d{1,4})$/.exec(link ?? "");
  return match === null || "deno" in process.versions ? undefined : Number(match[1]);
}
