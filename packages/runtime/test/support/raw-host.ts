import { memoryLinkPair } from "@orchestrator/transport";
import type { PluginDefinition } from "../../src/definition.ts";
import { createLog } from "../../src/log.ts";
import { compilePlugin } from "../../src/plugin/compile.ts";
import { PluginRuntime } from "../../src/plugin/plugin-runtime.ts";
import { RawPeer, type RawPeerOptions } from "./raw-peer.ts";

export { streamStart, toolCall } from "./raw-peer.ts";

/** A raw peer that hosts a plugin in the same process. */
export class RawHost extends RawPeer {
  readonly runtime: PluginRuntime;
  readonly logs: string[] = [];

  constructor(definition: PluginDefinition, options: RawPeerOptions) {
    super(options);
    this.runtime = new PluginRuntime(
      compilePlugin(definition),
      createLog((line) => this.logs.push(line.trimEnd())),
    );
    memoryLinkPair({ names: ["orchestrator", definition.id], accept: [this.accept, this.runtime.accept] });
  }
}

/** Runs a definition and a raw host in one process. */
export function rawHost(definition: PluginDefinition, options: RawPeerOptions = {}): RawHost {
  return new RawHost(definition, options);
}
