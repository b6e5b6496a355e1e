import { existsSync } from "node:fs";
import { formatDiagnostic, type HubConfig, type ParsedConfig } from "@orchestrator/config";
import { parseHubConfig } from "../hub/default-config.ts";
import { type Check, type Finding, fail, ok, type Patient, warn } from "./check.ts";

const NAME = "config";

export const checkConfig: Check = async (patient) => {
  const { parsed, source } = await read(patient);
  const findings: Finding[] = parsed.diagnostics.map((finding) => {
    const text = formatDiagnostic(finding).replace(/: (?:warning|error):/, ":");
    return finding.severity === "error"
      ? fail(NAME, text, finding.hint || "Mend the file; the hub does not start with it")
      : warn(NAME, text, finding.hint || "Mend the file");
  });
  const { config } = parsed;
  if (config === undefined) return findings;
  const enabled = config.plugins.filter((plugin) => plugin.enabled);
  const missing = enabled.filter((plugin) => plugin.program.includes("/") && !existsSync(plugin.program));
  findings.push(
    ...missing.map((plugin) =>
      fail(NAME, `program of plugin "${plugin.id}" is not there: ${plugin.program}`, "Build it, or mend its path"),
    ),
  );
  if (findings.length > 0) return findings;
  const plugins = [...enabled.map((plugin) => plugin.id), ...config.pluginDirs.map((path) => `those in ${path}`)];
  return ok(NAME, `${source}: ${plugins.join(", ") || "no plugins"}`);
};

/** The configuration, where it can be read. */
export async function configOf(patient: Patient): Promise<HubConfig | undefined> {
  return (await read(patient)).parsed.config;
}

async function read(patient: Patient): Promise<{ parsed: ParsedConfig; source: string }> {
  const flags = { "certs-dir": patient.certsDir };
  const { workspace, isExplicit, config } = patient;
  return parseHubConfig(patient, { workspace, isExplicit, config, flags });
}
