import { type EnabledControllers, enableControllers } from "./cgroup-controllers.ts";
import { removePluginCgroups } from "./cgroup-files.ts";
import { type CgroupLayout, CONTROLLERS, detectCgroups } from "./cgroup-layout.ts";
import { LIMIT_NAMES, type LimitName, limitValue, type ProcessLimits } from "./process-limits.ts";

/** What a hub can do with control groups, and what it had to tell its operator about that. */
export class HubCgroups {
  readonly #token: string;
  readonly #layout: CgroupLayout;
  readonly #warnings = new Map<string, string>();
  #controllers: EnabledControllers | string | undefined;

  constructor(token: string, layout: CgroupLayout = detectCgroups()) {
    this.#token = token;
    this.#layout = layout;
  }

  /** One sentence for each plugin whose limits do not hold. */
  get warnings(): string[] {
    return [...this.#warnings.values()];
  }

  /** Where groups may be made. */
  get directories(): string[] {
    const places = [this.#layout.kill, ...Object.values(this.#layout.limits)];
    return [...new Set(places.flatMap((place) => (typeof place === "object" ? [place.directory] : [])))];
  }

  /** In version 2, limits want preparation; it is made when the first plugin with limits comes. */
  layoutFor(limits: ProcessLimits): CgroupLayout {
    const layout = this.#layout;
    const wanted = LIMIT_NAMES.some((name) => limitValue(limits, name) !== undefined);
    const places = LIMIT_NAMES.flatMap((name) => {
      const place = layout.limits[name];
      return typeof place === "object" && place.version === 2 ? [{ name, place }] : [];
    });
    const directory = places[0]?.place.directory;
    if (!wanted || directory === undefined) return layout;
    const controllers = places.map(({ name }) => CONTROLLERS[name]);
    this.#controllers ??= enableControllers(directory, controllers, this.#token);
    if (typeof this.#controllers !== "string") return layout;
    const why = this.#controllers;
    const replaced = Object.fromEntries(places.map(({ name }) => [name, why]));
    return { ...layout, limits: { ...layout.limits, ...replaced } };
  }

  /** @returns what an operator has not been told yet */
  warn(pluginId: string, problems: ReadonlyMap<LimitName, string>): string | undefined {
    if (problems.size === 0) {
      this.#warnings.delete(pluginId);
      return undefined;
    }
    const names = [...problems.keys()].join(" and ");
    const why = [...new Set(problems.values())].join("; ");
    const text = `Plugin "${pluginId}" runs without its limit of ${names}: ${why}. ${hint()}`;
    if (this.#warnings.get(pluginId) === text) return undefined;
    this.#warnings.set(pluginId, text);
    return text;
  }

  /** Leaves all groups as they were. Call it when no process is left: some of their groups may have been in use a moment longer. */
  async undo(): Promise<void> {
    await removePluginCgroups(this.directories, this.#token);
    if (typeof this.#controllers === "object") this.#controllers.undo();
  }
}

function hint(): string {
  if (process.platform !== "linux") return "Only Linux has what it takes";
  return "Run the hub as a service that may have groups of its own, or: systemd-run --user --scope -p Delegate=yes orchestrator serve";
}
