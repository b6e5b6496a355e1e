import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { SocketLink } from "../links/socket.ts";
import { type Memory, memoryOf } from "./process-figures.ts";

/** How long a plugin takes from spawn to its hello, and what it then weighs. */
export interface PluginStart extends Memory {
  readonly ms: number;
}

/** Starts one plugin over an inherited socket as a hub does, and ends it with the socket. */
export async function startPlugin(
  program: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<PluginStart> {
  const began = performance.now();
  const child = spawn(process.execPath, [program, "--certs-dir=none", ...args], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], ORCHESTRATOR_LINK: "fd:3", ...env },
  });
  const exited = once(child, "exit");
  const hello = Promise.withResolvers<void>();
  let said = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  void exited.then(() => hello.reject(new Error(`${program} ended before it said hello: ${said}`)));
  const handler = { request: () => {}, message: () => {}, cancelled: () => {}, drained: () => {}, closed: () => {} };
  const link = new SocketLink(
    child.stdio[3] as Duplex,
    { carrier: "fd", peer: "plugin", remoteAddress: "fd:3", isConnector: false, onHello: () => hello.resolve() },
    () => handler,
  );
  try {
    await hello.promise;
    const ms = performance.now() - began;
    return { ms, ...memoryOf(child.pid!) };
  } finally {
    await link.close(0);
    // Its hub is gone: a plugin of the runtime ends by itself.
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(timer);
  }
}

export const SMALL_PLUGIN: string = join(import.meta.dirname, "..", "processes", "small-plugin.ts");
export const FEATURES_PLUGIN: string = join(
  import.meta.dirname,
  ...["..", "..", "..", "plugins", "tools-features", "src", "main.ts"],
);
