import { randomInt } from "node:crypto";
import type { PluginDefinition } from "@orchestrator/runtime";
import type { Services } from "./services.ts";
import { KeyedMutex } from "./store/mutex.ts";
import { dependencyTools } from "./tools/dependencies.ts";
import { detailTools } from "./tools/details.ts";
import { featureTools } from "./tools/features.ts";
import { nextTools } from "./tools/next.ts";
import { noteTools } from "./tools/notes.ts";
import { progressTools } from "./tools/progress.ts";
import { projectTools } from "./tools/projects.ts";
import { reviewTools } from "./tools/review.ts";
import { wipTools } from "./tools/wip.ts";
import { workflowTools } from "./tools/workflow.ts";

export interface FeaturesPluginOptions {
  /** Epoch milliseconds; the system's clock if left out. */
  readonly now?: () => number;
  /** An integer from 0 up to, not including, its argument; secure randomness if left out. */
  readonly random?: (limit: number) => number;
  /** First pause after a conflict with another writer; default 2. */
  readonly conflictPauseMs?: number;
}

/** Projects, features and a gated workflow as tools, kept as Markdown records in the hub's storage. */
export function createFeaturesPlugin(options: FeaturesPluginOptions = {}): PluginDefinition {
  const services: Services = {
    now: options.now ?? Date.now,
    random: options.random ?? ((limit) => randomInt(limit)),
    mutex: new KeyedMutex(),
    conflictPauseMs: options.conflictPauseMs ?? 2,
  };
  return {
    id: "tools.features",
    version: "0.1.0",
    description: "Projects, features and a gated workflow, kept as Markdown records",
    tools: {
      ...projectTools(services),
      ...featureTools(services),
      ...workflowTools(services),
      ...nextTools(services),
      ...reviewTools(services),
      ...dependencyTools(services),
      ...wipTools(services),
      ...progressTools(services),
      ...detailTools(services),
      ...noteTools(services),
    },
    needs: { storage: ["markdown"] },
  };
}
