import type { PluginManifest } from "@orchestrator/protocol";
import type { PluginDefinition } from "../definition.ts";

/** What a plugin declares of itself, in the shape in which it travels. */
export function manifestOf(definition: PluginDefinition): PluginManifest {
  const { provides = {}, needs = {} } = definition;
  return {
    id: definition.id,
    version: definition.version,
    language: "typescript",
    description: definition.description ?? "",
    author: definition.author ?? "",
    providesTools: Object.keys(definition.tools ?? {}),
    providesPrompts: Object.keys(definition.prompts ?? {}),
    providesStorage: Object.keys(definition.storage ?? {}),
    providesEvents: [...(provides.events ?? [])],
    providesTransport: [...(provides.transport ?? [])],
    providesAi: [...(provides.ai ?? [])],
    needsStorage: [...(needs.storage ?? [])],
    needsEvents: [...(needs.events ?? [])],
    needsAi: [...(needs.ai ?? [])],
    needsTools: [...(needs.tools ?? [])],
    providesHttp: [],
    needsHttp: [],
    binary: "",
    args: [],
    env: {},
  };
}
