import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DAY_MS, findAuthority, loadOrCreateAuthority } from "./authority-files.ts";
import type { TlsMaterial } from "./certificate.ts";
import { withFileLock } from "./file-lock.ts";
import { ensurePrivateDirectory } from "./files.ts";
import { authorityAlgorithm, type KeyAlgorithm } from "./issue.ts";
import { type Issuer, inspectLeaf, writeLeaf } from "./leaf-files.ts";
import { checkLeafName, checkPluginId, expandHome, isPluginId } from "./names.ts";
import { fillPluginDirectory } from "./plugin-directory.ts";

export interface AuthorityOptions {
  /** Of new keys; default Ed25519, and for leaves that of an authority which is there already. */
  readonly algorithm?: KeyAlgorithm;
  /** Epoch milliseconds; default the system's clock. */
  readonly now?: () => number;
  /** Of new certificates, in days; default 365. A leaf never outlives its authority. */
  readonly lifetimeDays?: number;
}

/** The certificate authority of one hub and the certificates that it issued. Any number of processes may use one directory. */
export interface Authority {
  /** Absolute. */
  readonly directory: string;
  readonly caPem: string;
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
  /** What was mended or will fail one day, for the operator's eyes; grows. */
  readonly warnings: readonly string[];
  /**
   * Loads `<directory>/<name>.crt|.key`; makes the pair, or makes it anew where it is unreadable, expired, due, issued by
   * another authority or for other names.
   * @throws {HubError} `INVALID_ARGUMENT` for a name that is none
   */
  leaf(name: string): Promise<TlsMaterial>;
  /**
   * Makes `<directory>/plugins/<id>/` ready for a plugin process: `ca.crt`, the pairs `<id>` and `<id>-client`, and a `ca.key`
   * that belongs to nothing, for programs that insist on reading one. @returns the directory, absolute
   * @throws {HubError} `INVALID_ARGUMENT` for an id that could leave the directory or is kept for the hub's own
   */
  pluginDirectory(id: string): Promise<string>;
  /** Makes every leaf anew that is due or bad, plugins' included; those in use stay valid. @returns the paths, without ending */
  renewIfDue(): Promise<readonly string[]>;
  /** A new client certificate with an RSA key as a PKCS#12 file, for an operator's browser. Nothing is kept on disk. */
  exportPkcs12(name: string, password: string): Promise<Uint8Array>;
}

/**
 * Opens the authority of a directory, and makes both where they are missing.
 * @throws {HubError} `FAILED_PRECONDITION` for an authority that is damaged, mismatched or expired; `PERMISSION_DENIED`
 */
export async function openAuthority(certsDir: string, options: AuthorityOptions = {}): Promise<Authority> {
  const directory = expandHome(certsDir);
  const warnings: string[] = [];
  const warn = (message: string): void => {
    if (!warnings.includes(message)) warnings.push(message);
  };
  ensurePrivateDirectory(directory, warn);
  const lockPath = join(directory, ".lock");
  const now = options.now ?? Date.now;
  const lifetimeMs = (options.lifetimeDays ?? 365) * DAY_MS;
  const files = { now, lifetimeMs, warn };
  const pair =
    findAuthority(directory, files) ??
    (await withFileLock(lockPath, () => loadOrCreateAuthority(directory, options.algorithm ?? "ed25519", files)));
  const issuer: Issuer = {
    pair,
    algorithm: options.algorithm ?? authorityAlgorithm(pair.privateKey)!,
    now,
    lifetimeMs,
    warn,
  };

  const ensureLeaf = async (inDirectory: string, name: string): Promise<TlsMaterial> => {
    const found = inspectLeaf(inDirectory, name, issuer);
    if (found.state === "good") return found.material;
    return withFileLock(lockPath, async () => {
      // Somebody else may have made it while we waited.
      const current = inspectLeaf(inDirectory, name, issuer);
      if (current.state === "good") return current.material;
      if (current.state === "bad") warn(`Certificate "${join(inDirectory, name)}" was made anew: ${current.problem}`);
      return writeLeaf(inDirectory, name, issuer);
    });
  };

  return {
    directory,
    caPem: pair.certPem,
    expiresAtMs: pair.certificate.validToDate.getTime(),
    warnings,
    leaf: async (name) => ensureLeaf(directory, checkLeafName(name)),
    async pluginDirectory(id) {
      checkPluginId(id);
      ensurePrivateDirectory(join(directory, "plugins"), warn);
      const own = join(directory, "plugins", id);
      ensurePrivateDirectory(own, warn);
      await withFileLock(lockPath, () => fillPluginDirectory(own, pair, warn));
      await ensureLeaf(own, id);
      await ensureLeaf(own, `${id}-client`);
      return own;
    },
    async renewIfDue() {
      const renewed: string[] = [];
      for (const [place, name] of leavesOf(directory)) {
        const path = join(place, name);
        try {
          const { state } = inspectLeaf(place, name, issuer);
          if (state === "good" || state === "absent") continue;
          await ensureLeaf(place, name);
          renewed.push(path);
        } catch (error) {
          // What is in one plugin's directory must not keep the others from being renewed.
          warn(`Certificate "${path}" could not be renewed: ${(error as Error).message}`);
        }
      }
      return renewed;
    },
    async exportPkcs12(name, password) {
      const { createPkcs12 } = await import("./pkcs12.ts");
      return createPkcs12(issuer, checkLeafName(name), password);
    },
  };
}

/**
 * Every leaf below the directory: where and under which name. A plugin may write to its own directory, so only the two names
 * that are its own count there: a file "orchestrator-operator.crt" must not make it the operator.
 */
function leavesOf(directory: string): readonly (readonly [place: string, name: string])[] {
  const files = listNames(directory).filter((file) => file.endsWith(".crt") && file !== "ca.crt");
  const leaves = files.map((file) => [directory, file.slice(0, -4)] as const);
  const plugins = join(directory, "plugins");
  const ids = listNames(plugins, "directories").filter(isPluginId);
  return [...leaves, ...ids.flatMap((id) => [id, `${id}-client`].map((name) => [join(plugins, id), name] as const))];
}

/** A link to a directory is no directory here. */
function listNames(directory: string, kind: "files" | "directories" = "files"): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() === (kind === "directories")).map((entry) => entry.name);
  } catch {
    return [];
  }
}
