import { type CapabilityKind, matchesCapability, matchesName, type PolicyRule } from "@orchestrator/config";

/** Who is on the other end of a link, as its certificate says. */
export interface Caller {
  /** Without the "-client" of the certificate's name. */
  readonly id: string;
  readonly kind: "hub" | "operator" | "gateway" | "plugin" | "anonymous";
  /** A configured plugin's id in the config, which rules may mean too: its own id is what its program says. */
  readonly configId?: string;
}

/** What a plugin may use, by its manifest or, where the operator said so, by the config. */
export interface Needs {
  readonly storage: readonly string[];
  readonly tools: readonly string[];
  readonly ai: readonly string[];
  readonly events: readonly string[];
  /** HTTP routes of other plugins. */
  readonly http: readonly string[];
}

export const NO_NEEDS: Needs = { storage: [], tools: [], ai: [], events: [], http: [] };

export interface Decision {
  readonly allowed: boolean;
  /** The rule that decided, for the message and the log. */
  readonly rule: string;
}

const NEEDS_LIST: Record<CapabilityKind, { readonly key: keyof Needs; readonly label: string } | undefined> = {
  tool: { key: "tools", label: "needs_tools" },
  storage: { key: "storage", label: "needs_storage" },
  ai: { key: "ai", label: "needs_ai" },
  event: { key: "events", label: "needs_events" },
  http: { key: "http", label: "needs_http" },
  prompt: undefined,
};

/**
 * The one place that decides whether `caller` may use a capability. The operator's rules come first, the first that matches
 * decides; then gateways and the operator may use everything, and a plugin what its manifest says it needs.
 */
export function decide(
  caller: Caller,
  needs: Needs,
  kind: CapabilityKind,
  name: string,
  rules: readonly PolicyRule[],
): Decision {
  for (const rule of rules) {
    const isMeant = matchesName(rule.caller, caller.id);
    if (!isMeant && (caller.configId === undefined || !matchesName(rule.caller, caller.configId))) continue;
    if (!rule.use.some((pattern) => matchesCapability(pattern, kind, name))) continue;
    return { allowed: rule.effect === "allow", rule: `rule "${rule.name}" of the config` };
  }
  switch (caller.kind) {
    case "hub":
    case "operator":
    case "gateway":
      return { allowed: true, rule: `default: a ${caller.kind} may use everything` };
    case "anonymous":
      return { allowed: false, rule: "default: a peer without a certificate may use nothing" };
    case "plugin": {
      const list = NEEDS_LIST[kind];
      if (list === undefined) return { allowed: true, rule: "default: prompts are open to every plugin" };
      const allowed = needs[list.key].some((pattern) => matchesName(pattern, name));
      return { allowed, rule: `default: ${list.label} of "${caller.id}" ${allowed ? "lists it" : "does not list it"}` };
    }
  }
}
