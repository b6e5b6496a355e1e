import { describe, expect, it } from "vitest";
import { formatDiagnostic, type ParseOptions, parseConfig, requireConfig } from "./index.ts";
import { overrides } from "./overrides.ts";

const base: ParseOptions = { path: "/c/plugins.yaml", cwd: "/run", home: "/h" };

describe("precedence", () => {
  const file = "listen_addr: file:1\nlog: {level: debug}\ntcp: {enabled: false}";
  const env = { ORCHESTRATOR_LISTEN_ADDR: "env:1", ORCHESTRATOR_LOG_LEVEL: "warn", ORCHESTRATOR_TCP_ENABLED: "on" };
  const read = (options: ParseOptions) => requireConfig(parseConfig(file, { ...base, ...options }));

  it("flag before environment before file", () => {
    expect(read({}).listenAddr).toBe("file:1");
    expect(read({ env }).listenAddr).toBe("env:1");
    expect(read({ env, flags: { "listen-addr": "flag:1" } }).listenAddr).toBe("flag:1");
  });

  it("nested keys too, with their own types", () => {
    expect(read({ env })).toMatchObject({ log: { level: "warn" }, tcp: { enabled: true } });
    expect(read({ env, flags: { "tcp-enabled": "false", "log-level": "error" } })).toMatchObject({
      log: { level: "error" },
      tcp: { enabled: false },
    });
  });

  it("empty values count as absent", () => {
    expect(
      read({ env: { ORCHESTRATOR_LISTEN_ADDR: "" }, flags: { "listen-addr": "", "certs-dir": undefined } }).listenAddr,
    ).toBe("file:1");
  });

  it("every single value of the hub has a variable and a flag of its own", () => {
    const all = overrides();
    expect(all.map((override) => override.flag)).toEqual(
      expect.arrayContaining(["listen-addr", "certs-dir", "tcp-token-file"]),
    );
    expect(new Set(all.map((override) => override.variable)).size).toBe(all.length);
    expect(new Set(all.map((override) => override.flag)).size).toBe(all.length);
  });
});

describe("mistakes", () => {
  const findings = (options: ParseOptions) =>
    parseConfig("", { ...base, ...options }).diagnostics.map(formatDiagnostic);

  it("are named by variable and flag", () => {
    expect(findings({ env: { ORCHESTRATOR_DEFAULT_TIMEOUT_MS: "soon" }, flags: { "listen-addr": "x" } })).toEqual([
      'environment: error: ORCHESTRATOR_DEFAULT_TIMEOUT_MS must be a whole number from 1 to 86400000, not "soon"',
      'command line: error: --listen-addr must be host:port, not "x"',
    ]);
  });

  it("of several keys are named where the value was set", () => {
    const env = { ORCHESTRATOR_ALLOW_ANONYMOUS_PEERS: "true", ORCHESTRATOR_TCP_ENABLED: "true" };
    expect(findings({ env, flags: { "listen-addr": ":1", "tcp-addr": "[::]:65535" } })).toEqual([
      'command line: error: The TCP listener is for this machine only, not "[::]:65535" (use localhost:50101; other machines connect by QUIC)',
      'environment: error: Peers without a certificate are admitted on loopback only, not on "0.0.0.0:1" (remove allow_anonymous_peers, or listen on localhost)',
    ]);
  });

  it("a near miss is reported, another program's variable is not", () => {
    expect(
      findings({
        env: { ORCHESTRATOR_CERT_DIR: "x", ORCHESTRATOR_LINK: "fd:3", ORCHESTRATOR_REQUIRE: "all", PATH: "" },
      }),
    ).toEqual(["environment: warning: Unknown variable ORCHESTRATOR_CERT_DIR (did you mean ORCHESTRATOR_CERTS_DIR?)"]);
  });
});
