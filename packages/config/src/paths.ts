import { createHash } from "node:crypto";
import { basename, join, resolve } from "node:path";

/** `~` and `~/x` → home; nothing else is expanded. */
export function expandTilde(path: string, home: string): string {
  if (path === "~") return home;
  return path.startsWith("~/") || path.startsWith("~\\") ? join(home, path.slice(2)) : path;
}

/** An absolute path; a relative one starts at `base`. */
export function absolute(path: string, base: string, home: string): string {
  return resolve(base, expandTilde(path, home));
}

/** One directory per workspace, with a name that people recognise: two workspaces called `app` do not meet. */
export function defaultStateDir(workspace: string, home: string): string {
  const digest = createHash("sha256").update(workspace).digest("hex").slice(0, 8);
  const name =
    basename(workspace)
      .replace(/[^A-Za-z0-9._-]/g, "-")
      .slice(0, 40) || "root";
  return join(home, ".orchestra", "state", `${name}-${digest}`);
}

/** Cuts `host:port`, whose form the schema has checked. `:5000` is every interface, as other programs read it. */
export function parseAddress(address: string): { readonly host: string; readonly text: string } {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon) || "0.0.0.0";
  return { host: host.replace(/^\[|\]$/g, ""), text: `${host}${address.slice(colon)}` };
}

/** Whether only this machine can reach the host. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.[0-9]{1,3}){3}$/.test(host);
}
