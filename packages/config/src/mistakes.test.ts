import { ErrorCode, HubError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { formatDiagnostic, type ParseOptions, parseConfig, requireConfig } from "./index.ts";

const base: ParseOptions = { path: "/etc/orchestra/plugins.yaml", cwd: "/run", home: "/home/ada" };

function parse(text: string, options: ParseOptions = {}) {
  return parseConfig(text, { ...base, ...options });
}

function findings(text: string, options: ParseOptions = {}) {
  return parse(text, options).diagnostics.map(formatDiagnostic);
}

describe("mistakes", () => {
  const at = "/etc/orchestra/plugins.yaml";
  it.each([
    ["bianry: x", [`${at}:1:1: warning: Unknown key "bianry"`]],
    ["listenAddr: x", [`${at}:1:1: warning: Unknown key "listenAddr" (did you mean "listen_addr"?)`]],
    [
      "plugins:\n  - id: a\n    bianry: x\n    binary: y",
      [`${at}:3:5: warning: Unknown key "bianry" in "plugins[0]" (did you mean "binary"?)`],
    ],
    ["tcp: {enable: true}", [`${at}:1:7: warning: Unknown key "enable" in "tcp" (did you mean "enabled"?)`]],
    [
      "default_timeout_ms: soon",
      [`${at}:1:21: error: "default_timeout_ms" must be a whole number from 1 to 86400000, not "soon"`],
    ],
    [
      "default_timeout_ms: 0",
      [`${at}:1:21: error: "default_timeout_ms" must be a whole number from 1 to 86400000, not "0"`],
    ],
    [
      "default_timeout_ms: 1.5",
      [`${at}:1:21: error: "default_timeout_ms" must be a whole number from 1 to 86400000, not "1.5"`],
    ],
    ["default_timeout_ms: [1]", [`${at}:1:21: error: "default_timeout_ms" must be a single value`]],
    ["log: {level: loud}", [`${at}:1:14: error: "log.level" must be one of debug, info, warn, error, not "loud"`]],
    ["listen_addr: nowhere", [`${at}:1:14: error: "listen_addr" must be host:port, not "nowhere"`]],
    ["listen_addr: a:70000", [`${at}:1:14: error: "listen_addr" must be host:port, not "a:70000"`]],
    ["just text", [`${at}:1:1: error: The file must hold keys and values`]],
    ["plugins: {id: a}", [`${at}:1:10: error: "plugins" must be a list`]],
    ["plugins: [a]", [`${at}:1:11: error: "plugins[0]" must hold keys and values`]],
    ["plugins:\n  - id: a", [`${at}:2:5: error: Plugin "a" needs a binary or a command`]],
    ["plugins:\n  - binary: a", [`${at}:2:5: error: A plugin needs an id (id: my.plugin)`]],
    [
      "plugins:\n  - {id: a, binary: a, command: [b]}",
      [`${at}:2:33: error: Plugin "a" has both binary and command (keep one of them)`],
    ],
    [
      "plugins:\n  - {id: ../a, binary: a}",
      [
        `${at}:2:5: error: A plugin needs an id (id: my.plugin)`,
        `${at}:2:10: error: "plugins[0].id" must be an id of letters, digits, dots, dashes and underscores, not "../a"`,
      ],
    ],
    [
      "plugins:\n  - {id: orchestrator-operator, binary: a}",
      [`${at}:2:10: error: "orchestrator-operator" is a name of the hub itself (choose another id)`],
    ],
    [
      "plugins:\n  - {id: hub, binary: a}",
      [`${at}:2:10: error: "hub" is a name of the hub itself (choose another id)`],
    ],
    [
      "plugins:\n  - {id: a, binary: a, args: -x}",
      [`${at}:2:30: error: "plugins[0].args" must be a list (write [-x])`],
    ],
    ["plugins:\n  - {id: a, binary: a, env: [A=1]}", [`${at}:2:29: error: "plugins[0].env" must hold keys and values`]],
    [
      "plugins:\n  - {id: a, binary: a, env: {A: [1]}}",
      [`${at}:2:33: error: "plugins[0].env.A" must be a single value`],
    ],
    [
      "plugins:\n  - {id: a, binary: a}\n  - {id: b, binary: b}\n  - {id: a, binary: c}",
      [`${at}:4:10: error: Two plugins have the id "a": the other stands in line 2`],
    ],
    [
      "tcp_addr: 0.0.0.0:1\ntcp: {enabled: true}",
      [
        `${at}:1:11: error: The TCP listener is for this machine only, not "0.0.0.0:1" (use localhost:50101; other machines connect by QUIC)`,
      ],
    ],
    [
      "listen_addr: 0.0.0.0:1\nallow_anonymous_peers: true",
      [
        `${at}:2:24: error: Peers without a certificate are admitted on loopback only, not on "0.0.0.0:1" (remove allow_anonymous_peers, or listen on localhost)`,
      ],
    ],
    [
      "policy: [{effect: deny}]",
      [`${at}:1:10: error: Rule "policy[0]" needs effect and use (effect: deny, use: [tool:delete_*])`],
    ],
    ["listen_addr: *nobody", [`${at}:1:14: error: Alias "*nobody" names no anchor before it`]],
    ["a: 1\na: 2", [`${at}:2:1: error: Map keys must be unique`]],
    ["a: [", [`${at}:1:5: error: Flow sequence in block collection must be sufficiently indented and end with a ]`]],
    ["? [a]\n: b", [`${at}:1:3: error: A key must be a plain text`]],
    [
      "plugins:\n  - {id: a, <<: 5, binary: a}",
      [`${at}:2:17: error: A merge key (<<) needs a mapping, or a list of mappings`],
    ],
  ])("%j", (text, expected) => {
    expect(findings(text)).toEqual(expected);
  });

  it("names a circle once, and says who depends on nobody", () => {
    const text = `
plugins:
  - {id: a, binary: a, depends_on: [b]}
  - {id: b, binary: b, depends_on: [c]}
  - {id: c, binary: c, depends_on: [a, storge]}
  - {id: storage, binary: s, depends_on: [storage]}
`;
    expect(findings(text)).toEqual([
      `${at}:3:36: error: Circle in depends_on: "a" → "b" → "c" → "a"`,
      `${at}:5:36: error: "c" depends on "storge", which is not in this file (did you mean "storage"?)`,
      `${at}:6:42: error: Circle in depends_on: "storage" → "storage"`,
    ]);
  });

  it("warns of a dependency that is switched off", () => {
    const text = "plugins:\n  - {id: a, binary: a, depends_on: [b]}\n  - {id: b, binary: b, enabled: false}";
    expect(findings(text)).toEqual([
      `${at}:2:36: warning: "a" depends on "b", which is not enabled, so it cannot start`,
    ]);
    expect(parse(text).config?.plugins).toHaveLength(2);
  });

  it("unknown keys are errors when strict, and x- keys never", () => {
    expect(parse("lisen: 1", { strict: true }).config).toBeUndefined();
    expect(parse("lisen: 1").config).toBeDefined();
    expect(findings("x-mine: {anything: [1]}", { strict: true })).toEqual([]);
  });

  it("messages stay on one line and command no terminal", () => {
    expect(findings('"a\\nb\\e[2Jc": 1')).toEqual([`${at}:1:1: warning: Unknown key "a b [2Jc"`]);
  });

  it("requireConfig throws every error in one", () => {
    const wrong = () => requireConfig(parse("listen_addr: x\ndefault_timeout_ms: y\nz: 1"));
    expect(wrong).toThrow(HubError);
    expect(wrong).toThrow(
      expect.objectContaining({
        code: ErrorCode.InvalidArgument,
        message: expect.stringMatching(/^Configuration cannot be used:\n.*:1:14: error: .*\n.*:2:21: error: .*$/),
      }),
    );
  });
});
