import type { PolicyRule } from "@orchestrator/config";
import { describe, expect, it } from "vitest";
import { type Caller, decide, type Needs } from "./policy.ts";

const plugin: Caller = { id: "tools.a", kind: "plugin" };
const needs: Needs = {
  storage: ["markdown"],
  tools: ["get_*"],
  ai: ["claude"],
  events: ["feature.updated"],
  http: ["/files*"],
};

describe("decide", () => {
  it("lets a plugin use what its manifest needs and nothing else, and names the rule", () => {
    expect(decide(plugin, needs, "storage", "markdown", []).allowed).toBe(true);
    expect(decide(plugin, needs, "tool", "get_feature", []).allowed).toBe(true);
    expect(decide(plugin, needs, "ai", "claude", []).allowed).toBe(true);
    expect(decide(plugin, needs, "event", "feature.updated", []).allowed).toBe(true);
    expect(decide(plugin, needs, "http", "/files/search", []).allowed).toBe(true);
    expect(decide(plugin, needs, "http", "/admin", []).rule).toContain("needs_http");
    const denied = decide(plugin, needs, "tool", "delete_feature", []);
    expect(denied.allowed).toBe(false);
    expect(denied.rule).toContain('needs_tools of "tools.a" does not list it');
    expect(decide(plugin, needs, "storage", "sqlite", []).allowed).toBe(false);
    expect(decide(plugin, needs, "event", "other", []).allowed).toBe(false);
  });

  it("lets gateways and the operator use everything, and nameless peers nothing", () => {
    for (const kind of ["gateway", "operator", "hub"] as const) {
      expect(decide({ id: "x", kind }, needs, "tool", "anything", []).allowed).toBe(true);
    }
    expect(decide({ id: "anonymous", kind: "anonymous" }, needs, "tool", "get_feature", []).allowed).toBe(false);
  });

  it("heeds rules that mean a plugin by its id in the config, whatever its program says that it is", () => {
    const caller: Caller = { ...plugin, configId: "mine" };
    const rules: PolicyRule[] = [
      { name: "no", effect: "deny", caller: "mine", use: [{ kind: "tool", name: "get_feature" }] },
    ];
    expect(decide(caller, needs, "tool", "get_feature", rules).allowed).toBe(false);
    expect(decide(plugin, needs, "tool", "get_feature", rules).allowed).toBe(true);
  });

  it("asks the operator's rules first; the first that matches decides", () => {
    const rules: PolicyRule[] = [
      { name: "no deletes", effect: "deny", caller: "*", use: [{ kind: "tool", name: "delete_*" }] },
      { name: "a may all", effect: "allow", caller: "tools.*", use: [{ kind: "tool", name: "*" }] },
    ];
    expect(decide(plugin, needs, "tool", "delete_feature", rules)).toEqual({
      allowed: false,
      rule: 'rule "no deletes" of the config',
    });
    expect(decide(plugin, needs, "tool", "anything", rules).allowed).toBe(true);
    expect(decide({ id: "cli", kind: "operator" }, needs, "tool", "delete_x", rules).allowed).toBe(false);
  });
});
