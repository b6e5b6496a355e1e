import type { CallContext } from "@orchestrator/runtime";
import type { Services } from "../services.ts";
import { RecordAccess } from "./access.ts";
import { FeatureStore } from "./features.ts";
import { LockStore } from "./locks.ts";
import { ProjectStore } from "./projects.ts";
import { WipLimitStore } from "./wip-limits.ts";

/**
 * The records as one call sees them. Nothing is kept from call to call: other programs write the same files, and there
 * is no word from them.
 */
export class Workspace extends RecordAccess {
  readonly projects: ProjectStore;
  readonly features: FeatureStore;
  readonly locks: LockStore;
  readonly wipLimits: WipLimitStore;

  constructor(context: CallContext, services: Services) {
    super(context, services);
    this.projects = new ProjectStore(this);
    this.features = new FeatureStore(this);
    this.locks = new LockStore(this);
    this.wipLimits = new WipLimitStore(this);
  }
}
